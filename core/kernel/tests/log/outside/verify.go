// Verifies an exported log with Go's checksum-database packages, which we did not write: `verify FOLDER KEY`. This
// file only hands them the files; every hash and every signature is theirs.
package main

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type files string

func (f files) Height() int { return 8 }

func (f files) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, tile := range tiles {
		// Their paths name the height; those of tlog-tiles do not, because it is always 8.
		path := strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
		bytes, err := os.ReadFile(filepath.Join(string(f), path))
		if err != nil {
			return nil, err
		}
		all = append(all, bytes)
	}
	return all, nil
}

func (f files) SaveTiles([]tlog.Tile, [][]byte) {}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "REFUSED:", err)
		os.Exit(1)
	}
}

func number(text string) int64 {
	number, err := strconv.ParseInt(text, 10, 64)
	must(err)
	return number
}

func hashes(fields []string) []tlog.Hash {
	var all []tlog.Hash
	for _, field := range fields {
		hash, err := tlog.ParseHash(field)
		must(err)
		all = append(all, hash)
	}
	return all
}

func main() {
	folder, key := files(os.Args[1]), os.Args[2]
	verifier, err := note.NewVerifier(key)
	must(err)
	signed, err := os.ReadFile(filepath.Join(string(folder), "checkpoint"))
	must(err)
	opened, err := note.Open(signed, note.VerifierList(verifier))
	must(err)
	lines := strings.Split(opened.Text, "\n")
	size := number(lines[1])
	root, err := tlog.ParseHash(lines[2])
	must(err)
	if lines[0] != verifier.Name() {
		must(fmt.Errorf("the checkpoint is that of %s", lines[0]))
	}

	// The root, and every tile below it.
	tree := tlog.TileHashReader(tlog.Tree{N: size, Hash: root}, folder)
	computed, err := tlog.TreeHash(size, tree)
	must(err)
	if computed != root {
		must(fmt.Errorf("the tiles have another root"))
	}

	// Every entry.
	var leaves []tlog.Hash
	for first := int64(0); first < size; first += 256 {
		width := size - first
		if width > 256 {
			width = 256
		}
		path := tlog.Tile{H: 8, L: 0, N: first / 256, W: int(width)}.Path()
		path = strings.Replace(path, "tile/8/0/", "tile/entries/", 1)
		bundle, err := os.ReadFile(filepath.Join(string(folder), path))
		must(err)
		var indexes []int64
		for at := int64(0); at < width; at++ {
			if len(bundle) < 2 || len(bundle) < 2+int(binary.BigEndian.Uint16(bundle)) {
				must(fmt.Errorf("entry %d breaks off", first+at))
			}
			length := 2 + int(binary.BigEndian.Uint16(bundle))
			leaves = append(leaves, tlog.RecordHash(bundle[2:length]))
			bundle = bundle[length:]
			indexes = append(indexes, tlog.StoredHashIndex(0, first+at))
		}
		if len(bundle) != 0 {
			must(fmt.Errorf("%s goes on after its last entry", path))
		}
		stored, err := tree.ReadHashes(indexes)
		must(err)
		for at, hash := range stored {
			if hash != leaves[first+int64(at)] {
				must(fmt.Errorf("entry %d is not what was logged", first+int64(at)))
			}
		}
	}

	// The proofs of the other side.
	proofs, err := os.ReadFile(filepath.Join(string(folder), "proofs"))
	must(err)
	counts := map[string]int{}
	for _, line := range strings.Split(strings.TrimSpace(string(proofs)), "\n") {
		fields := strings.Fields(line)
		place, proof := number(fields[1]), hashes(fields[2:])
		switch fields[0] {
		case "inclusion":
			must(tlog.CheckRecord(proof, size, root, place, leaves[place]))
		case "consistency":
			earlier, err := tlog.TreeHash(place, tree)
			must(err)
			must(tlog.CheckTree(proof, size, root, place, earlier))
		default:
			must(fmt.Errorf("what is %s", fields[0]))
		}
		counts[fields[0]]++
	}
	fmt.Printf("%d entries, %d inclusion, %d consistency, root %s\n", size, counts["inclusion"],
		counts["consistency"], base64.StdEncoding.EncodeToString(root[:]))
}
