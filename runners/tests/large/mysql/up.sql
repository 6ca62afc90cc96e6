-- A shop's schema: what a first release would bring. 64 tables.
CREATE TABLE currency (
    code varchar(60) NOT NULL PRIMARY KEY,
    name varchar(190) NOT NULL,
    digits bigint NOT NULL
);
CREATE TABLE country (
    code varchar(60) NOT NULL PRIMARY KEY,
    name varchar(190) NOT NULL,
    iso_number bigint,
    currency_code varchar(60)
);
CREATE TABLE language (
    code varchar(60) NOT NULL PRIMARY KEY,
    name varchar(190) NOT NULL
);
CREATE TABLE tax_zone (
    id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY,
    name varchar(190) NOT NULL,
    country_code varchar(60)
);
CREATE TABLE tax_rate (
    id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY,
    tax_zone_id bigint,
    name varchar(190) NOT NULL,
    percent decimal(9, 3) NOT NULL,
    valid_from date NOT NULL
);
CREATE TABLE warehouse (
    id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY,
    code varchar(190) NOT NULL UNIQUE,
    name varchar(190) NOT NULL,
    country_code varchar(60),
    opened_on date
);
CREATE TABLE supplier (
    id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY,
    code varchar(190) NOT NULL UNIQUE,
    name varchar(190) NOT NULL,
    email varchar(190),
    phone varchar(190),
    country_code varchar(60),
    rating double
);
CREATE TABLE supplier_contact (
    id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY,
    supplier_id bigint,
    name varchar(190) NOT NULL,
    email varchar(190),
    role varchar(190)
);
CREATE TABLE brand (
    id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY,
    slug varchar(190) NOT NULL UNIQUE,
    name varchar(190) NOT NULL,
    supplier_id bigint
);
CREATE TABLE category (
    id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY,
    parent_id bigint,
    slug varchar(190) NOT NULL UNIQUE,
    name varchar(190) NOT NULL,
    position bigint NOT NULL
);
CREATE TABLE product (
    id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY,
    brand_id bigint,
    category_id bigint,
    sku varchar(190) NOT NULL UNIQUE,
    name varchar(190) NOT NULL,
    description text,
    weight_grams bigint,
    is_active tinyint(1) NOT NULL,
    created_at datetime(6) NOT NULL
);
CREATE TABLE product_text (
    product_id bigint NOT NULL,
    language_code varchar(60) NOT NULL,
    name varchar(190) NOT NULL,
    description text,
    PRIMARY KEY (product_id, language_code)
);
CREATE TABLE product_image (
    id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY,
    product_id bigint,
    file_name varchar(190) NOT NULL,
    bytes longblob,
    position bigint NOT NULL
);
CREATE TABLE product_variant (
    id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY,
    product_id bigint,
    sku varchar(190) NOT NULL UNIQUE,
    size varchar(190),
    color varchar(190),
    barcode varchar(190)
);
CREATE TABLE product_price (
    id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY,
    product_variant_id bigint,
    currency_code varchar(60),
    cents bigint NOT NULL,
    valid_from datetime(6) NOT NULL,
    valid_to datetime(6),
    CONSTRAINT product_price_sane CHECK (cents >= 0)
);
CREATE TABLE product_tag (
    product_id bigint NOT NULL,
    tag varchar(60) NOT NULL,
    PRIMARY KEY (product_id, tag)
);
CREATE TABLE product_relation (
    product_id bigint NOT NULL,
    related_id bigint NOT NULL,
    kind varchar(190) NOT NULL,
    PRIMARY KEY (product_id, related_id)
);
CREATE TABLE attribute (
    id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY,
    code varchar(190) NOT NULL UNIQUE,
    name varchar(190) NOT NULL,
    unit varchar(190)
);
CREATE TABLE product_attribute (
    product_id bigint NOT NULL,
    attribute_id bigint NOT NULL,
    value varchar(190) NOT NULL,
    PRIMARY KEY (product_id, attribute_id)
);
CREATE TABLE stock_level (
    warehouse_id bigint NOT NULL,
    product_variant_id bigint NOT NULL,
    quantity bigint NOT NULL,
    reserved bigint NOT NULL,
    counted_at datetime(6),
    PRIMARY KEY (warehouse_id, product_variant_id)
);
CREATE TABLE stock_move (
    id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY,
    warehouse_id bigint,
    product_variant_id bigint,
    quantity bigint NOT NULL,
    reason varchar(190) NOT NULL,
    moved_at datetime(6) NOT NULL
);
CREATE TABLE stock_count (
    id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY,
    warehouse_id bigint,
    started_at datetime(6) NOT NULL,
    ended_at datetime(6),
    note text
);
CREATE TABLE stock_count_line (
    stock_count_id bigint NOT NULL,
    product_variant_id bigint NOT NULL,
    counted bigint NOT NULL,
    expected bigint NOT NULL,
    PRIMARY KEY (stock_count_id, product_variant_id)
);
CREATE TABLE purchase_order (
    id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY,
    supplier_id bigint,
    warehouse_id bigint,
    number varchar(190) NOT NULL UNIQUE,
    state varchar(190) NOT NULL,
    ordered_at datetime(6) NOT NULL
);
CREATE TABLE purchase_line (
    purchase_order_id bigint NOT NULL,
    line bigint NOT NULL,
    product_variant_id bigint,
    quantity bigint NOT NULL,
    cents bigint NOT NULL,
    PRIMARY KEY (purchase_order_id, line)
);
CREATE TABLE delivery (
    id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY,
    purchase_order_id bigint,
    arrived_at datetime(6) NOT NULL,
    note text
);
CREATE TABLE delivery_line (
    delivery_id bigint NOT NULL,
    line bigint NOT NULL,
    quantity bigint NOT NULL,
    damaged bigint NOT NULL,
    PRIMARY KEY (delivery_id, line)
);
CREATE TABLE customer (
    id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY,
    email varchar(190) NOT NULL UNIQUE,
    display_name varchar(190) NOT NULL,
    country_code varchar(60),
    language_code varchar(60),
    birthday date,
    created_at datetime(6) NOT NULL,
    score double
);
CREATE TABLE customer_address (
    id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY,
    customer_id bigint,
    line1 varchar(190) NOT NULL,
    line2 varchar(190),
    city varchar(190) NOT NULL,
    postcode varchar(190),
    country_code varchar(60)
);
CREATE TABLE customer_group (
    id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY,
    code varchar(190) NOT NULL UNIQUE,
    name varchar(190) NOT NULL,
    discount_percent decimal(9, 3) NOT NULL
);
CREATE TABLE customer_group_member (
    customer_group_id bigint NOT NULL,
    customer_id bigint NOT NULL,
    joined_at datetime(6) NOT NULL,
    PRIMARY KEY (customer_group_id, customer_id)
);
CREATE TABLE customer_note (
    id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY,
    customer_id bigint,
    body text NOT NULL,
    written_at datetime(6) NOT NULL
);
CREATE TABLE consent (
    customer_id bigint NOT NULL,
    purpose varchar(60) NOT NULL,
    given_at datetime(6) NOT NULL,
    withdrawn_at datetime(6),
    PRIMARY KEY (customer_id, purpose)
);
CREATE TABLE login (
    id bigint NOT NULL AUTO_INCREMENT,
    customer_id bigint,
    at datetime(6) NOT NULL,
    address varchar(190),
    agent varchar(190),
    PRIMARY KEY (id, at)
) PARTITION BY RANGE COLUMNS (at) (
    PARTITION p2025 VALUES LESS THAN ('2026-01-01'),
    PARTITION p2026 VALUES LESS THAN ('2027-01-01'),
    PARTITION later VALUES LESS THAN (MAXVALUE)
);
CREATE TABLE wishlist (
    id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY,
    customer_id bigint,
    name varchar(190) NOT NULL,
    is_public tinyint(1) NOT NULL
);
CREATE TABLE wishlist_item (
    wishlist_id bigint NOT NULL,
    product_variant_id bigint NOT NULL,
    added_at datetime(6) NOT NULL,
    PRIMARY KEY (wishlist_id, product_variant_id)
);
CREATE TABLE cart (
    id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY,
    customer_id bigint,
    created_at datetime(6) NOT NULL,
    changed_at datetime(6) NOT NULL
);
CREATE TABLE cart_item (
    cart_id bigint NOT NULL,
    product_variant_id bigint NOT NULL,
    quantity bigint NOT NULL,
    PRIMARY KEY (cart_id, product_variant_id),
    CONSTRAINT cart_item_sane CHECK (quantity > 0)
);
CREATE TABLE coupon (
    id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY,
    code varchar(190) NOT NULL UNIQUE,
    percent decimal(9, 3),
    cents bigint,
    valid_from datetime(6) NOT NULL,
    valid_to datetime(6),
    uses_max bigint
);
CREATE TABLE coupon_use (
    coupon_id bigint NOT NULL,
    customer_id bigint NOT NULL,
    used_at datetime(6) NOT NULL,
    PRIMARY KEY (coupon_id, customer_id)
);
CREATE TABLE sales_order (
    id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY,
    number varchar(190) NOT NULL UNIQUE,
    customer_id bigint,
    state varchar(190) NOT NULL,
    currency_code varchar(60),
    placed_at datetime(6) NOT NULL,
    total_cents bigint NOT NULL,
    note text
);
CREATE TABLE sales_line (
    sales_order_id bigint NOT NULL,
    line bigint NOT NULL,
    product_variant_id bigint,
    quantity bigint NOT NULL,
    cents bigint NOT NULL,
    tax_percent decimal(9, 3) NOT NULL,
    PRIMARY KEY (sales_order_id, line),
    CONSTRAINT sales_line_sane CHECK (quantity > 0)
);
CREATE TABLE sales_discount (
    sales_order_id bigint NOT NULL,
    line bigint NOT NULL,
    coupon_id bigint,
    cents bigint NOT NULL,
    PRIMARY KEY (sales_order_id, line)
);
CREATE TABLE sales_event (
    id bigint NOT NULL AUTO_INCREMENT,
    sales_order_id bigint,
    kind varchar(190) NOT NULL,
    detail json,
    at datetime(6) NOT NULL,
    PRIMARY KEY (id, at)
) PARTITION BY RANGE COLUMNS (at) (
    PARTITION p2025 VALUES LESS THAN ('2026-01-01'),
    PARTITION p2026 VALUES LESS THAN ('2027-01-01'),
    PARTITION later VALUES LESS THAN (MAXVALUE)
);
CREATE TABLE payment (
    id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY,
    sales_order_id bigint,
    method varchar(190) NOT NULL,
    cents bigint NOT NULL,
    state varchar(190) NOT NULL,
    reference varchar(190),
    paid_at datetime(6),
    CONSTRAINT payment_sane CHECK (cents > 0)
);
CREATE TABLE refund (
    id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY,
    payment_id bigint,
    cents bigint NOT NULL,
    reason text,
    refunded_at datetime(6) NOT NULL
);
CREATE TABLE invoice (
    id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY,
    sales_order_id bigint,
    number varchar(190) NOT NULL UNIQUE,
    issued_on date NOT NULL,
    total_cents bigint NOT NULL,
    document longblob
);
CREATE TABLE invoice_line (
    invoice_id bigint NOT NULL,
    line bigint NOT NULL,
    text varchar(190) NOT NULL,
    cents bigint NOT NULL,
    tax_percent decimal(9, 3) NOT NULL,
    PRIMARY KEY (invoice_id, line)
);
CREATE TABLE dunning (
    id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY,
    invoice_id bigint,
    level bigint NOT NULL,
    sent_at datetime(6) NOT NULL
);
CREATE TABLE carrier (
    id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY,
    code varchar(190) NOT NULL UNIQUE,
    name varchar(190) NOT NULL,
    tracking_url varchar(190)
);
CREATE TABLE shipment (
    id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY,
    sales_order_id bigint,
    carrier_id bigint,
    tracking varchar(190),
    shipped_at datetime(6)
);
CREATE TABLE shipment_line (
    shipment_id bigint NOT NULL,
    line bigint NOT NULL,
    quantity bigint NOT NULL,
    PRIMARY KEY (shipment_id, line)
);
CREATE TABLE return_case (
    id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY,
    sales_order_id bigint,
    reason text NOT NULL,
    state varchar(190) NOT NULL,
    opened_at datetime(6) NOT NULL
);
CREATE TABLE return_line (
    return_case_id bigint NOT NULL,
    line bigint NOT NULL,
    quantity bigint NOT NULL,
    restock tinyint(1) NOT NULL,
    PRIMARY KEY (return_case_id, line)
);
CREATE TABLE account (
    id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY,
    code varchar(190) NOT NULL UNIQUE,
    name varchar(190) NOT NULL,
    kind varchar(190) NOT NULL
);
CREATE TABLE journal (
    id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY,
    number varchar(190) NOT NULL UNIQUE,
    booked_on date NOT NULL,
    text varchar(190) NOT NULL
);
CREATE TABLE journal_line (
    journal_id bigint NOT NULL,
    line bigint NOT NULL,
    account_id bigint,
    debit_cents bigint NOT NULL,
    credit_cents bigint NOT NULL,
    PRIMARY KEY (journal_id, line)
);
CREATE TABLE employee (
    id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY,
    email varchar(190) NOT NULL UNIQUE,
    display_name varchar(190) NOT NULL,
    manager_id bigint,
    hired_on date NOT NULL,
    is_active tinyint(1) NOT NULL
);
CREATE TABLE role (
    id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY,
    code varchar(190) NOT NULL UNIQUE,
    name varchar(190) NOT NULL
);
CREATE TABLE employee_role (
    employee_id bigint NOT NULL,
    role_id bigint NOT NULL,
    granted_at datetime(6) NOT NULL,
    PRIMARY KEY (employee_id, role_id)
);
CREATE TABLE shift (
    id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY,
    employee_id bigint,
    warehouse_id bigint,
    starts_at datetime(6) NOT NULL,
    ends_at datetime(6) NOT NULL
);
CREATE TABLE ticket (
    id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY,
    customer_id bigint,
    employee_id bigint,
    subject varchar(190) NOT NULL,
    state varchar(190) NOT NULL,
    opened_at datetime(6) NOT NULL,
    closed_at datetime(6)
);
CREATE TABLE ticket_message (
    id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY,
    ticket_id bigint,
    body text NOT NULL,
    is_internal tinyint(1) NOT NULL,
    written_at datetime(6) NOT NULL
);
CREATE TABLE setting (
    name varchar(60) NOT NULL,
    value varchar(190) NOT NULL,
    changed_at datetime(6) NOT NULL,
    PRIMARY KEY (name)
);
ALTER TABLE country ADD CONSTRAINT country_currency_code_fk FOREIGN KEY (currency_code) REFERENCES currency (code);
ALTER TABLE tax_zone ADD CONSTRAINT tax_zone_country_code_fk FOREIGN KEY (country_code) REFERENCES country (code);
ALTER TABLE tax_rate ADD CONSTRAINT tax_rate_tax_zone_id_fk FOREIGN KEY (tax_zone_id) REFERENCES tax_zone (id);
ALTER TABLE warehouse ADD CONSTRAINT warehouse_country_code_fk FOREIGN KEY (country_code) REFERENCES country (code);
ALTER TABLE supplier ADD CONSTRAINT supplier_country_code_fk FOREIGN KEY (country_code) REFERENCES country (code);
ALTER TABLE supplier_contact ADD CONSTRAINT supplier_contact_supplier_id_fk FOREIGN KEY (supplier_id) REFERENCES supplier (id);
ALTER TABLE brand ADD CONSTRAINT brand_supplier_id_fk FOREIGN KEY (supplier_id) REFERENCES supplier (id);
ALTER TABLE category ADD CONSTRAINT category_parent_id_fk FOREIGN KEY (parent_id) REFERENCES category (id);
ALTER TABLE product ADD CONSTRAINT product_brand_id_fk FOREIGN KEY (brand_id) REFERENCES brand (id);
ALTER TABLE product ADD CONSTRAINT product_category_id_fk FOREIGN KEY (category_id) REFERENCES category (id);
ALTER TABLE product_text ADD CONSTRAINT product_text_product_id_fk FOREIGN KEY (product_id) REFERENCES product (id);
ALTER TABLE product_text ADD CONSTRAINT product_text_language_code_fk FOREIGN KEY (language_code) REFERENCES language (code);
ALTER TABLE product_image ADD CONSTRAINT product_image_product_id_fk FOREIGN KEY (product_id) REFERENCES product (id);
ALTER TABLE product_variant ADD CONSTRAINT product_variant_product_id_fk FOREIGN KEY (product_id) REFERENCES product (id);
ALTER TABLE product_price ADD CONSTRAINT product_price_product_variant_id_fk FOREIGN KEY (product_variant_id) REFERENCES product_variant (id);
ALTER TABLE product_price ADD CONSTRAINT product_price_currency_code_fk FOREIGN KEY (currency_code) REFERENCES currency (code);
ALTER TABLE product_tag ADD CONSTRAINT product_tag_product_id_fk FOREIGN KEY (product_id) REFERENCES product (id);
ALTER TABLE product_relation ADD CONSTRAINT product_relation_product_id_fk FOREIGN KEY (product_id) REFERENCES product (id);
ALTER TABLE product_relation ADD CONSTRAINT product_relation_related_id_fk FOREIGN KEY (related_id) REFERENCES product (id);
ALTER TABLE product_attribute ADD CONSTRAINT product_attribute_product_id_fk FOREIGN KEY (product_id) REFERENCES product (id);
ALTER TABLE product_attribute ADD CONSTRAINT product_attribute_attribute_id_fk FOREIGN KEY (attribute_id) REFERENCES attribute (id);
ALTER TABLE stock_level ADD CONSTRAINT stock_level_warehouse_id_fk FOREIGN KEY (warehouse_id) REFERENCES warehouse (id);
ALTER TABLE stock_level ADD CONSTRAINT stock_level_product_variant_id_fk FOREIGN KEY (product_variant_id) REFERENCES product_variant (id);
ALTER TABLE stock_move ADD CONSTRAINT stock_move_warehouse_id_fk FOREIGN KEY (warehouse_id) REFERENCES warehouse (id);
ALTER TABLE stock_move ADD CONSTRAINT stock_move_product_variant_id_fk FOREIGN KEY (product_variant_id) REFERENCES product_variant (id);
ALTER TABLE stock_count ADD CONSTRAINT stock_count_warehouse_id_fk FOREIGN KEY (warehouse_id) REFERENCES warehouse (id);
ALTER TABLE stock_count_line ADD CONSTRAINT stock_count_line_stock_count_id_fk FOREIGN KEY (stock_count_id) REFERENCES stock_count (id);
ALTER TABLE stock_count_line ADD CONSTRAINT stock_count_line_product_variant_id_fk FOREIGN KEY (product_variant_id) REFERENCES product_variant (id);
ALTER TABLE purchase_order ADD CONSTRAINT purchase_order_supplier_id_fk FOREIGN KEY (supplier_id) REFERENCES supplier (id);
ALTER TABLE purchase_order ADD CONSTRAINT purchase_order_warehouse_id_fk FOREIGN KEY (warehouse_id) REFERENCES warehouse (id);
ALTER TABLE purchase_line ADD CONSTRAINT purchase_line_purchase_order_id_fk FOREIGN KEY (purchase_order_id) REFERENCES purchase_order (id);
ALTER TABLE purchase_line ADD CONSTRAINT purchase_line_product_variant_id_fk FOREIGN KEY (product_variant_id) REFERENCES product_variant (id);
ALTER TABLE delivery ADD CONSTRAINT delivery_purchase_order_id_fk FOREIGN KEY (purchase_order_id) REFERENCES purchase_order (id);
ALTER TABLE delivery_line ADD CONSTRAINT delivery_line_delivery_id_fk FOREIGN KEY (delivery_id) REFERENCES delivery (id);
ALTER TABLE customer ADD CONSTRAINT customer_country_code_fk FOREIGN KEY (country_code) REFERENCES country (code);
ALTER TABLE customer ADD CONSTRAINT customer_language_code_fk FOREIGN KEY (language_code) REFERENCES language (code);
ALTER TABLE customer_address ADD CONSTRAINT customer_address_customer_id_fk FOREIGN KEY (customer_id) REFERENCES customer (id);
ALTER TABLE customer_address ADD CONSTRAINT customer_address_country_code_fk FOREIGN KEY (country_code) REFERENCES country (code);
ALTER TABLE customer_group_member ADD CONSTRAINT customer_group_member_customer_group_id_fk FOREIGN KEY (customer_group_id) REFERENCES customer_group (id);
ALTER TABLE customer_group_member ADD CONSTRAINT customer_group_member_customer_id_fk FOREIGN KEY (customer_id) REFERENCES customer (id);
ALTER TABLE customer_note ADD CONSTRAINT customer_note_customer_id_fk FOREIGN KEY (customer_id) REFERENCES customer (id);
ALTER TABLE consent ADD CONSTRAINT consent_customer_id_fk FOREIGN KEY (customer_id) REFERENCES customer (id);
ALTER TABLE wishlist ADD CONSTRAINT wishlist_customer_id_fk FOREIGN KEY (customer_id) REFERENCES customer (id);
ALTER TABLE wishlist_item ADD CONSTRAINT wishlist_item_wishlist_id_fk FOREIGN KEY (wishlist_id) REFERENCES wishlist (id);
ALTER TABLE wishlist_item ADD CONSTRAINT wishlist_item_product_variant_id_fk FOREIGN KEY (product_variant_id) REFERENCES product_variant (id);
ALTER TABLE cart ADD CONSTRAINT cart_customer_id_fk FOREIGN KEY (customer_id) REFERENCES customer (id);
ALTER TABLE cart_item ADD CONSTRAINT cart_item_cart_id_fk FOREIGN KEY (cart_id) REFERENCES cart (id);
ALTER TABLE cart_item ADD CONSTRAINT cart_item_product_variant_id_fk FOREIGN KEY (product_variant_id) REFERENCES product_variant (id);
ALTER TABLE coupon_use ADD CONSTRAINT coupon_use_coupon_id_fk FOREIGN KEY (coupon_id) REFERENCES coupon (id);
ALTER TABLE coupon_use ADD CONSTRAINT coupon_use_customer_id_fk FOREIGN KEY (customer_id) REFERENCES customer (id);
ALTER TABLE sales_order ADD CONSTRAINT sales_order_customer_id_fk FOREIGN KEY (customer_id) REFERENCES customer (id);
ALTER TABLE sales_order ADD CONSTRAINT sales_order_currency_code_fk FOREIGN KEY (currency_code) REFERENCES currency (code);
ALTER TABLE sales_line ADD CONSTRAINT sales_line_sales_order_id_fk FOREIGN KEY (sales_order_id) REFERENCES sales_order (id);
ALTER TABLE sales_line ADD CONSTRAINT sales_line_product_variant_id_fk FOREIGN KEY (product_variant_id) REFERENCES product_variant (id);
ALTER TABLE sales_discount ADD CONSTRAINT sales_discount_sales_order_id_fk FOREIGN KEY (sales_order_id) REFERENCES sales_order (id);
ALTER TABLE sales_discount ADD CONSTRAINT sales_discount_coupon_id_fk FOREIGN KEY (coupon_id) REFERENCES coupon (id);
ALTER TABLE payment ADD CONSTRAINT payment_sales_order_id_fk FOREIGN KEY (sales_order_id) REFERENCES sales_order (id);
ALTER TABLE refund ADD CONSTRAINT refund_payment_id_fk FOREIGN KEY (payment_id) REFERENCES payment (id);
ALTER TABLE invoice ADD CONSTRAINT invoice_sales_order_id_fk FOREIGN KEY (sales_order_id) REFERENCES sales_order (id);
ALTER TABLE invoice_line ADD CONSTRAINT invoice_line_invoice_id_fk FOREIGN KEY (invoice_id) REFERENCES invoice (id);
ALTER TABLE dunning ADD CONSTRAINT dunning_invoice_id_fk FOREIGN KEY (invoice_id) REFERENCES invoice (id);
ALTER TABLE shipment ADD CONSTRAINT shipment_sales_order_id_fk FOREIGN KEY (sales_order_id) REFERENCES sales_order (id);
ALTER TABLE shipment ADD CONSTRAINT shipment_carrier_id_fk FOREIGN KEY (carrier_id) REFERENCES carrier (id);
ALTER TABLE shipment_line ADD CONSTRAINT shipment_line_shipment_id_fk FOREIGN KEY (shipment_id) REFERENCES shipment (id);
ALTER TABLE return_case ADD CONSTRAINT return_case_sales_order_id_fk FOREIGN KEY (sales_order_id) REFERENCES sales_order (id);
ALTER TABLE return_line ADD CONSTRAINT return_line_return_case_id_fk FOREIGN KEY (return_case_id) REFERENCES return_case (id);
ALTER TABLE journal_line ADD CONSTRAINT journal_line_journal_id_fk FOREIGN KEY (journal_id) REFERENCES journal (id);
ALTER TABLE journal_line ADD CONSTRAINT journal_line_account_id_fk FOREIGN KEY (account_id) REFERENCES account (id);
ALTER TABLE employee ADD CONSTRAINT employee_manager_id_fk FOREIGN KEY (manager_id) REFERENCES employee (id);
ALTER TABLE employee_role ADD CONSTRAINT employee_role_employee_id_fk FOREIGN KEY (employee_id) REFERENCES employee (id);
ALTER TABLE employee_role ADD CONSTRAINT employee_role_role_id_fk FOREIGN KEY (role_id) REFERENCES role (id);
ALTER TABLE shift ADD CONSTRAINT shift_employee_id_fk FOREIGN KEY (employee_id) REFERENCES employee (id);
ALTER TABLE shift ADD CONSTRAINT shift_warehouse_id_fk FOREIGN KEY (warehouse_id) REFERENCES warehouse (id);
ALTER TABLE ticket ADD CONSTRAINT ticket_customer_id_fk FOREIGN KEY (customer_id) REFERENCES customer (id);
ALTER TABLE ticket ADD CONSTRAINT ticket_employee_id_fk FOREIGN KEY (employee_id) REFERENCES employee (id);
ALTER TABLE ticket_message ADD CONSTRAINT ticket_message_ticket_id_fk FOREIGN KEY (ticket_id) REFERENCES ticket (id);
CREATE INDEX country_by_currency_code ON country (currency_code);
CREATE INDEX tax_zone_by_country_code ON tax_zone (country_code);
CREATE INDEX tax_rate_by_tax_zone_id ON tax_rate (tax_zone_id);
CREATE INDEX warehouse_by_country_code ON warehouse (country_code);
CREATE INDEX supplier_by_country_code ON supplier (country_code);
CREATE INDEX supplier_contact_by_supplier_id ON supplier_contact (supplier_id);
CREATE INDEX brand_by_supplier_id ON brand (supplier_id);
CREATE INDEX category_by_parent_id ON category (parent_id);
CREATE INDEX product_by_brand_id ON product (brand_id);
CREATE INDEX product_by_category_id ON product (category_id);
CREATE INDEX product_by_created_at ON product (created_at);
CREATE INDEX product_image_by_product_id ON product_image (product_id);
CREATE INDEX product_variant_by_product_id ON product_variant (product_id);
CREATE INDEX product_price_by_product_variant_id ON product_price (product_variant_id);
CREATE INDEX product_price_by_currency_code ON product_price (currency_code);
CREATE INDEX product_price_by_valid_from_valid_to ON product_price (valid_from, valid_to);
CREATE INDEX stock_move_by_warehouse_id ON stock_move (warehouse_id);
CREATE INDEX stock_move_by_product_variant_id ON stock_move (product_variant_id);
CREATE INDEX stock_move_by_moved_at ON stock_move (moved_at);
CREATE INDEX stock_count_by_warehouse_id ON stock_count (warehouse_id);
CREATE INDEX purchase_order_by_supplier_id ON purchase_order (supplier_id);
CREATE INDEX purchase_order_by_warehouse_id ON purchase_order (warehouse_id);
CREATE INDEX purchase_order_by_state ON purchase_order (state);
CREATE INDEX purchase_line_by_product_variant_id ON purchase_line (product_variant_id);
CREATE INDEX delivery_by_purchase_order_id ON delivery (purchase_order_id);
CREATE INDEX customer_by_country_code ON customer (country_code);
CREATE INDEX customer_by_language_code ON customer (language_code);
CREATE INDEX customer_by_created_at ON customer (created_at);
CREATE INDEX customer_address_by_customer_id ON customer_address (customer_id);
CREATE INDEX customer_address_by_country_code ON customer_address (country_code);
CREATE INDEX customer_note_by_customer_id ON customer_note (customer_id);
CREATE INDEX login_by_customer_id ON login (customer_id);
CREATE INDEX wishlist_by_customer_id ON wishlist (customer_id);
CREATE INDEX cart_by_customer_id ON cart (customer_id);
CREATE INDEX cart_by_created_at ON cart (created_at);
CREATE INDEX coupon_by_valid_from_valid_to ON coupon (valid_from, valid_to);
CREATE INDEX sales_order_by_customer_id ON sales_order (customer_id);
CREATE INDEX sales_order_by_currency_code ON sales_order (currency_code);
CREATE INDEX sales_order_by_state ON sales_order (state);
CREATE INDEX sales_order_by_placed_at ON sales_order (placed_at);
CREATE INDEX sales_line_by_product_variant_id ON sales_line (product_variant_id);
CREATE INDEX sales_discount_by_coupon_id ON sales_discount (coupon_id);
CREATE INDEX sales_event_by_sales_order_id ON sales_event (sales_order_id);
CREATE INDEX payment_by_sales_order_id ON payment (sales_order_id);
CREATE INDEX payment_by_state ON payment (state);
CREATE INDEX refund_by_payment_id ON refund (payment_id);
CREATE INDEX invoice_by_sales_order_id ON invoice (sales_order_id);
CREATE INDEX invoice_by_issued_on ON invoice (issued_on);
CREATE INDEX dunning_by_invoice_id ON dunning (invoice_id);
CREATE INDEX shipment_by_sales_order_id ON shipment (sales_order_id);
CREATE INDEX shipment_by_carrier_id ON shipment (carrier_id);
CREATE INDEX return_case_by_sales_order_id ON return_case (sales_order_id);
CREATE INDEX return_case_by_state ON return_case (state);
CREATE INDEX return_case_by_opened_at ON return_case (opened_at);
CREATE INDEX journal_by_booked_on ON journal (booked_on);
CREATE INDEX journal_line_by_account_id ON journal_line (account_id);
CREATE INDEX employee_by_manager_id ON employee (manager_id);
CREATE INDEX shift_by_employee_id ON shift (employee_id);
CREATE INDEX shift_by_warehouse_id ON shift (warehouse_id);
CREATE INDEX ticket_by_customer_id ON ticket (customer_id);
CREATE INDEX ticket_by_employee_id ON ticket (employee_id);
CREATE INDEX ticket_by_state ON ticket (state);
CREATE INDEX ticket_by_opened_at ON ticket (opened_at);
CREATE INDEX ticket_message_by_ticket_id ON ticket_message (ticket_id);
CREATE VIEW open_order AS
SELECT o.id, o.number, c.display_name, o.total_cents FROM sales_order AS o JOIN customer AS c ON c.id = o.customer_id WHERE o.state = 'open';
CREATE VIEW order_total AS
SELECT l.sales_order_id, sum(l.quantity * l.cents) AS cents, count(*) AS line_count FROM sales_line AS l GROUP BY l.sales_order_id;
CREATE VIEW paid_order AS
SELECT o.id, o.number, sum(p.cents) AS cents FROM sales_order AS o JOIN payment AS p ON p.sales_order_id = o.id WHERE p.state = 'paid' GROUP BY o.id, o.number;
CREATE VIEW unpaid_invoice AS
SELECT i.id, i.number, i.total_cents FROM invoice AS i WHERE NOT EXISTS (SELECT 1 FROM payment AS p WHERE p.sales_order_id = i.sales_order_id AND p.state = 'paid');
CREATE VIEW stock_free AS
SELECT s.warehouse_id, s.product_variant_id, s.quantity - s.reserved AS free FROM stock_level AS s;
CREATE VIEW stock_by_product AS
SELECT v.product_id, sum(s.quantity) AS quantity FROM stock_level AS s JOIN product_variant AS v ON v.id = s.product_variant_id GROUP BY v.product_id;
CREATE VIEW product_now AS
SELECT p.id, p.sku, p.name, b.name AS brand FROM product AS p LEFT JOIN brand AS b ON b.id = p.brand_id WHERE p.is_active = 1;
CREATE VIEW category_size AS
SELECT c.id, c.name, count(p.id) AS products FROM category AS c LEFT JOIN product AS p ON p.category_id = c.id GROUP BY c.id, c.name;
CREATE VIEW customer_value AS
SELECT c.id, c.display_name, coalesce(sum(o.total_cents), 0) AS cents FROM customer AS c LEFT JOIN sales_order AS o ON o.customer_id = c.id GROUP BY c.id, c.display_name;
CREATE VIEW open_ticket AS
SELECT t.id, t.subject, e.display_name AS agent FROM ticket AS t LEFT JOIN employee AS e ON e.id = t.employee_id WHERE t.closed_at IS NULL;
CREATE VIEW journal_balance AS
SELECT j.id, sum(l.debit_cents) - sum(l.credit_cents) AS off FROM journal AS j JOIN journal_line AS l ON l.journal_id = j.id GROUP BY j.id;
CREATE VIEW supplier_open AS
SELECT s.id, s.name, count(o.id) AS orders FROM supplier AS s JOIN purchase_order AS o ON o.supplier_id = s.id WHERE o.state <> 'done' GROUP BY s.id, s.name;
CREATE VIEW shipment_open AS
SELECT h.id, o.number, k.name AS carrier FROM shipment AS h JOIN sales_order AS o ON o.id = h.sales_order_id LEFT JOIN carrier AS k ON k.id = h.carrier_id WHERE h.shipped_at IS NULL;
CREATE VIEW return_open AS
SELECT r.id, o.number FROM return_case AS r JOIN sales_order AS o ON o.id = r.sales_order_id WHERE r.state = 'open';
DELIMITER //
CREATE FUNCTION cents_of(wanted bigint) RETURNS bigint READS SQL DATA
BEGIN
    DECLARE cents bigint;
    SELECT coalesce(sum(l.quantity * l.cents), 0) INTO cents FROM sales_line AS l WHERE l.sales_order_id = wanted;
    RETURN cents;
END //
CREATE FUNCTION free_stock(variant bigint) RETURNS bigint READS SQL DATA
BEGIN
    DECLARE free bigint;
    SELECT coalesce(sum(s.quantity - s.reserved), 0) INTO free FROM stock_level AS s WHERE s.product_variant_id = variant;
    RETURN free;
END //
CREATE FUNCTION with_tax(cents bigint, percent decimal(9, 3)) RETURNS decimal(20, 2) DETERMINISTIC
RETURN round(cents * (1 + percent / 100), 2) //
CREATE FUNCTION is_open(state varchar(190)) RETURNS tinyint(1) DETERMINISTIC
RETURN state IN ('open', 'new') //
CREATE PROCEDURE close_tickets(IN older_than datetime(6))
BEGIN
    UPDATE ticket SET state = 'closed', closed_at = NOW(6) WHERE opened_at < older_than AND closed_at IS NULL;
END //
CREATE TRIGGER cart_item_touches AFTER INSERT ON cart_item FOR EACH ROW
BEGIN
    UPDATE cart SET changed_at = NOW(6) WHERE id = NEW.cart_id;
END //
CREATE TRIGGER sales_line_totals AFTER INSERT ON sales_line FOR EACH ROW
BEGIN
    UPDATE sales_order SET total_cents = total_cents + NEW.quantity * NEW.cents WHERE id = NEW.sales_order_id;
END //
CREATE TRIGGER stock_move_counts AFTER INSERT ON stock_move FOR EACH ROW
    UPDATE stock_level SET quantity = quantity + NEW.quantity WHERE warehouse_id = NEW.warehouse_id AND product_variant_id = NEW.product_variant_id //
CREATE TRIGGER setting_stamp BEFORE UPDATE ON setting FOR EACH ROW
    SET NEW.changed_at = NOW(6) //
DELIMITER ;
-- What the shop needs to open.
INSERT INTO currency (code, name, digits) VALUES ('EUR', 'Euro', 2);
INSERT INTO currency (code, name, digits) VALUES ('USD', 'US dollar', 2);
INSERT INTO currency (code, name, digits) VALUES ('JPY', 'Yen', 0);
INSERT INTO country (code, name, iso_number, currency_code) VALUES ('ES', 'España', 724, 'EUR');
INSERT INTO country (code, name, iso_number, currency_code) VALUES ('DE', 'Deutschland', 276, 'EUR');
INSERT INTO country (code, name, iso_number, currency_code) VALUES ('US', 'United States', 840, 'USD');
INSERT INTO country (code, name, iso_number, currency_code) VALUES ('JP', '日本', 392, 'JPY');
INSERT INTO language (code, name) VALUES ('es', 'Español');
INSERT INTO language (code, name) VALUES ('de', 'Deutsch');
INSERT INTO language (code, name) VALUES ('en', 'English');
INSERT INTO tax_zone (id, name, country_code) VALUES (1, 'IVA', 'ES');
INSERT INTO tax_rate (id, tax_zone_id, name, percent, valid_from) VALUES (1, 1, 'IVA', 21, '2026-01-01');
INSERT INTO tax_zone (id, name, country_code) VALUES (2, 'USt', 'DE');
INSERT INTO tax_rate (id, tax_zone_id, name, percent, valid_from) VALUES (2, 2, 'USt', 19, '2026-01-01');
INSERT INTO tax_zone (id, name, country_code) VALUES (3, '消費税', 'JP');
INSERT INTO tax_rate (id, tax_zone_id, name, percent, valid_from) VALUES (3, 3, '消費税', 10, '2026-01-01');
INSERT INTO role (id, code, name) VALUES (1, 'admin', 'Admin');
INSERT INTO role (id, code, name) VALUES (2, 'agent', 'Agent');
INSERT INTO role (id, code, name) VALUES (3, 'picker', 'Picker');
INSERT INTO role (id, code, name) VALUES (4, 'buyer', 'Buyer');
INSERT INTO role (id, code, name) VALUES (5, 'auditor', 'Auditor');
INSERT INTO account (id, code, name, kind) VALUES (1, '1000', 'Bank', 'asset');
INSERT INTO account (id, code, name, kind) VALUES (2, '4000', 'Sales', 'income');
INSERT INTO account (id, code, name, kind) VALUES (3, '5000', 'Goods', 'cost');
INSERT INTO account (id, code, name, kind) VALUES (4, '1700', 'Tax', 'debt');
INSERT INTO carrier (id, code, name, tracking_url) VALUES (1, 'dhl', 'DHL', 'https://track.example/dhl?id=%s;x');
INSERT INTO carrier (id, code, name, tracking_url) VALUES (2, 'seur', 'SEUR', 'https://track.example/seur?id=%s;x');
INSERT INTO carrier (id, code, name, tracking_url) VALUES (3, 'yamato', 'ヤマト運輸', 'https://track.example/yamato?id=%s;x');
INSERT INTO setting (name, value, changed_at) VALUES ('greeting', 'It''s open; come in -- now', '2026-03-01 09:00:00');
INSERT INTO setting (name, value, changed_at) VALUES ('color', '#fff /* not a comment */', '2026-03-01 09:00:00');
INSERT INTO setting (name, value, changed_at) VALUES ('dollar', '$1 $$ $tag$', '2026-03-01 09:00:00');
INSERT INTO employee (id, email, display_name, manager_id, hired_on, is_active) VALUES (1, 'ana@shop.example', 'Ana', NULL, '2020-01-01', 1), (2, 'bo@shop.example', 'Bo', 1, '2021-01-01', 1), (3, 'cruz@shop.example', 'Cruz', 1, '2022-01-01', 0);
INSERT INTO employee_role (employee_id, role_id, granted_at) SELECT e.id, r.id, '2026-03-01 09:00:00' FROM employee AS e CROSS JOIN role AS r WHERE r.id <= 2;
INSERT INTO supplier (id, code, name, email, country_code, rating) VALUES (1, 'S-alba', 'Alba S.L.', 'alba@supplier.example', 'DE', 0.14285714285714285);
INSERT INTO brand (id, slug, name, supplier_id) VALUES (1, 'alba', 'Alba', 1);
INSERT INTO supplier (id, code, name, email, country_code, rating) VALUES (2, 'S-brisa', 'Brisa S.L.', 'brisa@supplier.example', 'US', 0.2857142857142857);
INSERT INTO brand (id, slug, name, supplier_id) VALUES (2, 'brisa', 'Brisa', 2);
INSERT INTO supplier (id, code, name, email, country_code, rating) VALUES (3, 'S-cielo', 'Cielo S.L.', 'cielo@supplier.example', 'JP', 0.42857142857142855);
INSERT INTO brand (id, slug, name, supplier_id) VALUES (3, 'cielo', 'Cielo', 3);
INSERT INTO supplier (id, code, name, email, country_code, rating) VALUES (4, 'S-duna', 'Duna S.L.', 'duna@supplier.example', 'ES', 0.5714285714285714);
INSERT INTO brand (id, slug, name, supplier_id) VALUES (4, 'duna', 'Duna', 4);
INSERT INTO supplier (id, code, name, email, country_code, rating) VALUES (5, 'S-eco', 'Eco S.L.', 'eco@supplier.example', 'DE', 0.7142857142857143);
INSERT INTO brand (id, slug, name, supplier_id) VALUES (5, 'eco', 'Eco', 5);
INSERT INTO supplier (id, code, name, email, country_code, rating) VALUES (6, 'S-faro', 'Faro S.L.', 'faro@supplier.example', 'US', 0.8571428571428571);
INSERT INTO brand (id, slug, name, supplier_id) VALUES (6, 'faro', 'Faro', 6);
INSERT INTO supplier (id, code, name, email, country_code, rating) VALUES (7, 'S-gris', 'Gris S.L.', 'gris@supplier.example', 'JP', 1);
INSERT INTO brand (id, slug, name, supplier_id) VALUES (7, 'gris', 'Gris', 7);
INSERT INTO supplier (id, code, name, email, country_code, rating) VALUES (8, 'S-hoja', 'Hoja S.L.', 'hoja@supplier.example', 'ES', 1.1428571428571428);
INSERT INTO brand (id, slug, name, supplier_id) VALUES (8, 'hoja', 'Hoja', 8);
INSERT INTO category (id, parent_id, slug, name, position) VALUES (1, NULL, 'c-alba', 'Cosas de alba', 1);
INSERT INTO category (id, parent_id, slug, name, position) VALUES (2, NULL, 'c-brisa', 'Cosas de brisa', 2);
INSERT INTO category (id, parent_id, slug, name, position) VALUES (3, 1, 'c-cielo', 'Cosas de cielo', 3);
INSERT INTO category (id, parent_id, slug, name, position) VALUES (4, 1, 'c-duna', 'Cosas de duna', 4);
INSERT INTO category (id, parent_id, slug, name, position) VALUES (5, 1, 'c-eco', 'Cosas de eco', 5);
INSERT INTO category (id, parent_id, slug, name, position) VALUES (6, 2, 'c-faro', 'Cosas de faro', 6);
INSERT INTO category (id, parent_id, slug, name, position) VALUES (7, 2, 'c-gris', 'Cosas de gris', 7);
INSERT INTO category (id, parent_id, slug, name, position) VALUES (8, 2, 'c-hoja', 'Cosas de hoja', 8);
INSERT INTO category (id, parent_id, slug, name, position) VALUES (9, 3, 'c-isla', 'Cosas de isla', 9);
INSERT INTO category (id, parent_id, slug, name, position) VALUES (10, 3, 'c-jara', 'Cosas de jara', 10);
INSERT INTO category (id, parent_id, slug, name, position) VALUES (11, 3, 'c-kilo', 'Cosas de kilo', 11);
INSERT INTO category (id, parent_id, slug, name, position) VALUES (12, 4, 'c-lago', 'Cosas de lago', 12);
INSERT INTO warehouse (id, code, name, country_code, opened_on) VALUES (1, 'W1', 'Madrid', 'ES', '2019-01-01');
INSERT INTO warehouse (id, code, name, country_code, opened_on) VALUES (2, 'W2', 'Köln', 'DE', '2019-02-01');
INSERT INTO warehouse (id, code, name, country_code, opened_on) VALUES (3, 'W3', '大阪', 'JP', '2019-03-01');
INSERT INTO product (id, brand_id, category_id, sku, name, description, weight_grams, is_active, created_at) VALUES (1, 2, 2, 'P-001', 'alba', 'alba; not the end -- of it', 100, 1, '2026-03-01 09:00:00');
INSERT INTO product_variant (id, product_id, sku, size, color) VALUES (1, 1, 'P-001-M', 'M', 'green'), (101, 1, 'P-001-L', 'L', NULL);
INSERT INTO product_price (id, product_variant_id, currency_code, cents, valid_from) VALUES (1, 1, 'USD', 199, '2026-03-01 09:00:00');
INSERT INTO stock_level (warehouse_id, product_variant_id, quantity, reserved) VALUES (2, 1, 10, 1);
INSERT INTO product (id, brand_id, category_id, sku, name, description, weight_grams, is_active, created_at) VALUES (2, 3, 3, 'P-002', 'brisa', 'brisa; not the end -- of it', 200, 1, '2026-03-01 09:00:00');
INSERT INTO product_variant (id, product_id, sku, size, color) VALUES (2, 2, 'P-002-M', 'M', 'blue'), (102, 2, 'P-002-L', 'L', NULL);
INSERT INTO product_price (id, product_variant_id, currency_code, cents, valid_from) VALUES (2, 2, 'JPY', 398, '2026-03-01 09:00:00');
INSERT INTO product (id, brand_id, category_id, sku, name, description, weight_grams, is_active, created_at) VALUES (3, 4, 4, 'P-003', 'cielo', 'cielo; not the end -- of it', 300, 1, '2026-03-01 09:00:00');
INSERT INTO product_variant (id, product_id, sku, size, color) VALUES (3, 3, 'P-003-M', 'M', 'red'), (103, 3, 'P-003-L', 'L', NULL);
INSERT INTO product_price (id, product_variant_id, currency_code, cents, valid_from) VALUES (3, 3, 'EUR', 597, '2026-03-01 09:00:00');
INSERT INTO stock_level (warehouse_id, product_variant_id, quantity, reserved) VALUES (1, 3, 30, 3);
INSERT INTO product (id, brand_id, category_id, sku, name, description, weight_grams, is_active, created_at) VALUES (4, 5, 5, 'P-004', 'duna', 'duna; not the end -- of it', 400, 1, '2026-03-01 09:00:00');
INSERT INTO product_variant (id, product_id, sku, size, color) VALUES (4, 4, 'P-004-M', 'M', 'green'), (104, 4, 'P-004-L', 'L', NULL);
INSERT INTO product_price (id, product_variant_id, currency_code, cents, valid_from) VALUES (4, 4, 'USD', 796, '2026-03-01 09:00:00');
INSERT INTO product (id, brand_id, category_id, sku, name, description, weight_grams, is_active, created_at) VALUES (5, 6, 6, 'P-005', 'eco', 'eco; not the end -- of it', 500, 0, '2026-03-01 09:00:00');
INSERT INTO product_variant (id, product_id, sku, size, color) VALUES (5, 5, 'P-005-M', 'M', 'blue'), (105, 5, 'P-005-L', 'L', NULL);
INSERT INTO product_price (id, product_variant_id, currency_code, cents, valid_from) VALUES (5, 5, 'JPY', 995, '2026-03-01 09:00:00');
INSERT INTO stock_level (warehouse_id, product_variant_id, quantity, reserved) VALUES (3, 5, 50, 5);
INSERT INTO product (id, brand_id, category_id, sku, name, description, weight_grams, is_active, created_at) VALUES (6, 7, 7, 'P-006', 'faro', 'faro; not the end -- of it', 600, 1, '2026-03-01 09:00:00');
INSERT INTO product_variant (id, product_id, sku, size, color) VALUES (6, 6, 'P-006-M', 'M', 'red'), (106, 6, 'P-006-L', 'L', NULL);
INSERT INTO product_price (id, product_variant_id, currency_code, cents, valid_from) VALUES (6, 6, 'EUR', 1194, '2026-03-01 09:00:00');
INSERT INTO product (id, brand_id, category_id, sku, name, description, weight_grams, is_active, created_at) VALUES (7, 8, 8, 'P-007', 'gris', 'gris; not the end -- of it', 700, 1, '2026-03-01 09:00:00');
INSERT INTO product_variant (id, product_id, sku, size, color) VALUES (7, 7, 'P-007-M', 'M', 'green'), (107, 7, 'P-007-L', 'L', NULL);
INSERT INTO product_price (id, product_variant_id, currency_code, cents, valid_from) VALUES (7, 7, 'USD', 1393, '2026-03-01 09:00:00');
INSERT INTO stock_level (warehouse_id, product_variant_id, quantity, reserved) VALUES (2, 7, 70, 7);
INSERT INTO product (id, brand_id, category_id, sku, name, description, weight_grams, is_active, created_at) VALUES (8, 1, 9, 'P-008', 'hoja', 'hoja; not the end -- of it', 800, 1, '2026-03-01 09:00:00');
INSERT INTO product_variant (id, product_id, sku, size, color) VALUES (8, 8, 'P-008-M', 'M', 'blue'), (108, 8, 'P-008-L', 'L', NULL);
INSERT INTO product_price (id, product_variant_id, currency_code, cents, valid_from) VALUES (8, 8, 'JPY', 1592, '2026-03-01 09:00:00');
INSERT INTO product (id, brand_id, category_id, sku, name, description, weight_grams, is_active, created_at) VALUES (9, 2, 10, 'P-009', 'isla', 'isla; not the end -- of it', 900, 1, '2026-03-01 09:00:00');
INSERT INTO product_variant (id, product_id, sku, size, color) VALUES (9, 9, 'P-009-M', 'M', 'red'), (109, 9, 'P-009-L', 'L', NULL);
INSERT INTO product_price (id, product_variant_id, currency_code, cents, valid_from) VALUES (9, 9, 'EUR', 1791, '2026-03-01 09:00:00');
INSERT INTO stock_level (warehouse_id, product_variant_id, quantity, reserved) VALUES (1, 9, 90, 9);
INSERT INTO product (id, brand_id, category_id, sku, name, description, weight_grams, is_active, created_at) VALUES (10, 3, 11, 'P-010', 'jara', 'jara; not the end -- of it', 1000, 0, '2026-03-01 09:00:00');
INSERT INTO product_variant (id, product_id, sku, size, color) VALUES (10, 10, 'P-010-M', 'M', 'green'), (110, 10, 'P-010-L', 'L', NULL);
INSERT INTO product_price (id, product_variant_id, currency_code, cents, valid_from) VALUES (10, 10, 'USD', 1990, '2026-03-01 09:00:00');
INSERT INTO product (id, brand_id, category_id, sku, name, description, weight_grams, is_active, created_at) VALUES (11, 4, 12, 'P-011', 'kilo', 'kilo; not the end -- of it', 1100, 1, '2026-03-01 09:00:00');
INSERT INTO product_variant (id, product_id, sku, size, color) VALUES (11, 11, 'P-011-M', 'M', 'blue'), (111, 11, 'P-011-L', 'L', NULL);
INSERT INTO product_price (id, product_variant_id, currency_code, cents, valid_from) VALUES (11, 11, 'JPY', 2189, '2026-03-01 09:00:00');
INSERT INTO stock_level (warehouse_id, product_variant_id, quantity, reserved) VALUES (3, 11, 110, 11);
INSERT INTO product (id, brand_id, category_id, sku, name, description, weight_grams, is_active, created_at) VALUES (12, 5, 1, 'P-012', 'lago', 'lago; not the end -- of it', 1200, 1, '2026-03-01 09:00:00');
INSERT INTO product_variant (id, product_id, sku, size, color) VALUES (12, 12, 'P-012-M', 'M', 'red'), (112, 12, 'P-012-L', 'L', NULL);
INSERT INTO product_price (id, product_variant_id, currency_code, cents, valid_from) VALUES (12, 12, 'EUR', 2388, '2026-03-01 09:00:00');
INSERT INTO product (id, brand_id, category_id, sku, name, description, weight_grams, is_active, created_at) VALUES (13, 6, 2, 'P-013', 'mar', 'mar; not the end -- of it', 1300, 1, '2026-03-01 09:00:00');
INSERT INTO product_variant (id, product_id, sku, size, color) VALUES (13, 13, 'P-013-M', 'M', 'green'), (113, 13, 'P-013-L', 'L', NULL);
INSERT INTO product_price (id, product_variant_id, currency_code, cents, valid_from) VALUES (13, 13, 'USD', 2587, '2026-03-01 09:00:00');
INSERT INTO stock_level (warehouse_id, product_variant_id, quantity, reserved) VALUES (2, 13, 130, 13);
INSERT INTO product (id, brand_id, category_id, sku, name, description, weight_grams, is_active, created_at) VALUES (14, 7, 3, 'P-014', 'nube', 'nube; not the end -- of it', 1400, 1, '2026-03-01 09:00:00');
INSERT INTO product_variant (id, product_id, sku, size, color) VALUES (14, 14, 'P-014-M', 'M', 'blue'), (114, 14, 'P-014-L', 'L', NULL);
INSERT INTO product_price (id, product_variant_id, currency_code, cents, valid_from) VALUES (14, 14, 'JPY', 2786, '2026-03-01 09:00:00');
INSERT INTO product (id, brand_id, category_id, sku, name, description, weight_grams, is_active, created_at) VALUES (15, 8, 4, 'P-015', 'onda', 'onda; not the end -- of it', 1500, 0, '2026-03-01 09:00:00');
INSERT INTO product_variant (id, product_id, sku, size, color) VALUES (15, 15, 'P-015-M', 'M', 'red'), (115, 15, 'P-015-L', 'L', NULL);
INSERT INTO product_price (id, product_variant_id, currency_code, cents, valid_from) VALUES (15, 15, 'EUR', 2985, '2026-03-01 09:00:00');
INSERT INTO stock_level (warehouse_id, product_variant_id, quantity, reserved) VALUES (1, 15, 150, 15);
INSERT INTO product (id, brand_id, category_id, sku, name, description, weight_grams, is_active, created_at) VALUES (16, 1, 5, 'P-016', 'playa', 'playa; not the end -- of it', 1600, 1, '2026-03-01 09:00:00');
INSERT INTO product_variant (id, product_id, sku, size, color) VALUES (16, 16, 'P-016-M', 'M', 'green'), (116, 16, 'P-016-L', 'L', NULL);
INSERT INTO product_price (id, product_variant_id, currency_code, cents, valid_from) VALUES (16, 16, 'USD', 3184, '2026-03-01 09:00:00');
INSERT INTO product (id, brand_id, category_id, sku, name, description, weight_grams, is_active, created_at) VALUES (17, 2, 6, 'P-017', 'quimera', 'quimera; not the end -- of it', 1700, 1, '2026-03-01 09:00:00');
INSERT INTO product_variant (id, product_id, sku, size, color) VALUES (17, 17, 'P-017-M', 'M', 'blue'), (117, 17, 'P-017-L', 'L', NULL);
INSERT INTO product_price (id, product_variant_id, currency_code, cents, valid_from) VALUES (17, 17, 'JPY', 3383, '2026-03-01 09:00:00');
INSERT INTO stock_level (warehouse_id, product_variant_id, quantity, reserved) VALUES (3, 17, 170, 17);
INSERT INTO product (id, brand_id, category_id, sku, name, description, weight_grams, is_active, created_at) VALUES (18, 3, 7, 'P-018', 'rio', 'rio; not the end -- of it', 1800, 1, '2026-03-01 09:00:00');
INSERT INTO product_variant (id, product_id, sku, size, color) VALUES (18, 18, 'P-018-M', 'M', 'red'), (118, 18, 'P-018-L', 'L', NULL);
INSERT INTO product_price (id, product_variant_id, currency_code, cents, valid_from) VALUES (18, 18, 'EUR', 3582, '2026-03-01 09:00:00');
INSERT INTO product (id, brand_id, category_id, sku, name, description, weight_grams, is_active, created_at) VALUES (19, 4, 8, 'P-019', 'sol', 'sol; not the end -- of it', 1900, 1, '2026-03-01 09:00:00');
INSERT INTO product_variant (id, product_id, sku, size, color) VALUES (19, 19, 'P-019-M', 'M', 'green'), (119, 19, 'P-019-L', 'L', NULL);
INSERT INTO product_price (id, product_variant_id, currency_code, cents, valid_from) VALUES (19, 19, 'USD', 3781, '2026-03-01 09:00:00');
INSERT INTO stock_level (warehouse_id, product_variant_id, quantity, reserved) VALUES (2, 19, 190, 19);
INSERT INTO product (id, brand_id, category_id, sku, name, description, weight_grams, is_active, created_at) VALUES (20, 5, 9, 'P-020', 'tierra', 'tierra; not the end -- of it', 2000, 0, '2026-03-01 09:00:00');
INSERT INTO product_variant (id, product_id, sku, size, color) VALUES (20, 20, 'P-020-M', 'M', 'blue'), (120, 20, 'P-020-L', 'L', NULL);
INSERT INTO product_price (id, product_variant_id, currency_code, cents, valid_from) VALUES (20, 20, 'JPY', 3980, '2026-03-01 09:00:00');
INSERT INTO customer (id, email, display_name, country_code, language_code, birthday, created_at, score) VALUES (1, 'alba@mail.example', 'Alba Ñame', 'DE', 'de', '1961-02-21', '2026-03-01 09:00:00', 0.33333333333333331);
INSERT INTO customer (id, email, display_name, country_code, language_code, birthday, created_at, score) VALUES (2, 'brisa@mail.example', 'Brisa Ñame', 'US', 'en', '1962-02-22', '2026-03-01 09:00:00', 0.66666666666666663);
INSERT INTO customer (id, email, display_name, country_code, language_code, birthday, created_at, score) VALUES (3, 'cielo@mail.example', 'Cielo Ñame', 'JP', 'es', '1963-02-23', '2026-03-01 09:00:00', 1);
INSERT INTO customer (id, email, display_name, country_code, language_code, birthday, created_at, score) VALUES (4, 'duna@mail.example', 'Duna Ñame', 'ES', 'de', NULL, '2026-03-01 09:00:00', 1.3333333333333333);
INSERT INTO customer (id, email, display_name, country_code, language_code, birthday, created_at, score) VALUES (5, 'eco@mail.example', 'Eco Ñame', 'DE', 'en', '1965-02-25', '2026-03-01 09:00:00', 1.6666666666666667);
INSERT INTO customer (id, email, display_name, country_code, language_code, birthday, created_at, score) VALUES (6, 'faro@mail.example', 'Faro Ñame', 'US', 'es', '1966-02-26', '2026-03-01 09:00:00', 2);
INSERT INTO customer (id, email, display_name, country_code, language_code, birthday, created_at, score) VALUES (7, 'gris@mail.example', 'Gris Ñame', 'JP', 'de', '1967-02-27', '2026-03-01 09:00:00', 2.3333333333333335);
INSERT INTO customer (id, email, display_name, country_code, language_code, birthday, created_at, score) VALUES (8, 'hoja@mail.example', 'Hoja Ñame', 'ES', 'en', NULL, '2026-03-01 09:00:00', 2.6666666666666665);
INSERT INTO customer (id, email, display_name, country_code, language_code, birthday, created_at, score) VALUES (9, 'isla@mail.example', 'Isla Ñame', 'DE', 'es', '1969-02-20', '2026-03-01 09:00:00', 3);
INSERT INTO customer (id, email, display_name, country_code, language_code, birthday, created_at, score) VALUES (10, 'jara@mail.example', 'Jara Ñame', 'US', 'de', '1970-02-21', '2026-03-01 09:00:00', 3.3333333333333335);
INSERT INTO customer (id, email, display_name, country_code, language_code, birthday, created_at, score) VALUES (11, 'kilo@mail.example', 'Kilo Ñame', 'JP', 'en', '1971-02-22', '2026-03-01 09:00:00', 3.6666666666666665);
INSERT INTO customer (id, email, display_name, country_code, language_code, birthday, created_at, score) VALUES (12, 'lago@mail.example', 'Lago Ñame', 'ES', 'es', NULL, '2026-03-01 09:00:00', 4);
INSERT INTO customer (id, email, display_name, country_code, language_code, birthday, created_at, score) VALUES (13, 'mar@mail.example', 'Mar Ñame', 'DE', 'de', '1973-02-24', '2026-03-01 09:00:00', 4.333333333333333);
INSERT INTO customer (id, email, display_name, country_code, language_code, birthday, created_at, score) VALUES (14, 'nube@mail.example', 'Nube Ñame', 'US', 'en', '1974-02-25', '2026-03-01 09:00:00', 4.666666666666667);
INSERT INTO customer (id, email, display_name, country_code, language_code, birthday, created_at, score) VALUES (15, 'onda@mail.example', 'Onda Ñame', 'JP', 'es', '1975-02-26', '2026-03-01 09:00:00', 5);
INSERT INTO customer (id, email, display_name, country_code, language_code, birthday, created_at, score) VALUES (16, 'playa@mail.example', 'Playa Ñame', 'ES', 'de', NULL, '2026-03-01 09:00:00', 5.333333333333333);
INSERT INTO customer (id, email, display_name, country_code, language_code, birthday, created_at, score) VALUES (17, 'quimera@mail.example', 'Quimera Ñame', 'DE', 'en', '1977-02-28', '2026-03-01 09:00:00', 5.666666666666667);
INSERT INTO customer (id, email, display_name, country_code, language_code, birthday, created_at, score) VALUES (18, 'rio@mail.example', 'Rio Ñame', 'US', 'es', '1978-02-20', '2026-03-01 09:00:00', 6);
INSERT INTO customer (id, email, display_name, country_code, language_code, birthday, created_at, score) VALUES (19, 'sol@mail.example', 'Sol Ñame', 'JP', 'de', '1979-02-21', '2026-03-01 09:00:00', 6.333333333333333);
INSERT INTO customer (id, email, display_name, country_code, language_code, birthday, created_at, score) VALUES (20, 'tierra@mail.example', 'Tierra Ñame', 'ES', 'en', NULL, '2026-03-01 09:00:00', 6.666666666666667);
UPDATE product SET weight_grams = weight_grams + 5 WHERE is_active = 1;
DELETE FROM product_price WHERE cents > 3500;
UPDATE setting SET value = 'closed' WHERE name = 'greeting';
DELETE FROM employee_role WHERE employee_id = 3;
