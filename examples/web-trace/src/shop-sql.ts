/** The tables of the shop. */
export const schema = `
  create table product (
    id int primary key generated always as identity,
    key text not null,
    name text not null,
    brand text not null,
    category text not null,
    description text not null,
    attributes jsonb not null
  );
  -- By hash, since a key may be longer than a B-tree holds.
  create index on product using hash (key);
  create table price (
    product_id int references product,
    currency text,
    cents int not null,
    primary key (product_id, currency)
  );
  create table stock (
    product_id int references product,
    warehouse text,
    quantity int not null,
    primary key (product_id, warehouse)
  );
  create table review (
    product_id int not null references product,
    written_at date not null,
    rating int not null,
    title text not null,
    body text not null
  );
`;

/** Fills in what is behind the keys of $1: everything follows from hashes, so each run has the same shop. */
export const fillPages = `
  with new_product as (
    insert into product (key, name, brand, category, description, attributes)
    select
      key,
      (array['Alpine', 'Urban', 'Classic', 'Light', 'Nordic'])[1 + hash % 5] || ' ' ||
        (array['Jacket', 'Backpack', 'Tent', 'Boot', 'Lamp', 'Stove', 'Bottle'])[1 + hash % 7],
      'Brand ' || hash % 120,
      (array['Clothing', 'Camping', 'Climbing', 'Cycling'])[1 + hash % 4],
      repeat('Made for long days outside, and for the way home. ', 4 + hash % 8),
      jsonb_build_object(
        'colour', (array['red', 'green', 'blue', 'black'])[1 + hash % 4],
        'grams', 80 + hash % 4000
      )
    from unnest($1::text[]) key, lateral (select hashtext(key) & 2147483647 as hash)
    returning id
  ), new_price as (
    insert into price
    select id, currency, 499 + (hashint4(id) & 65535)
    from new_product, unnest(array['EUR', 'CHF']) currency
  ), new_stock as (
    insert into stock
    select id, warehouse, hashtext(id || warehouse) & 63
    from new_product, unnest(array['Berlin', 'Munich', 'Vienna']) warehouse
  )
  insert into review
  select
    id,
    date '2013-12-01' - 3 * nth,
    1 + (hashint4(id + nth) & 1048575) % 5,
    'Review ' || nth,
    repeat('Bought it last month and use it every day. ', nth)
  from new_product, generate_series(1, hashint4(id) & 7) nth
`;

/** Once the shop is full: the index that a page needs, and statistics for the planner. */
export const indexes = `
  create index on review (product_id);
  analyze;
`;

/** One product page: the product, its price, what all warehouses have of it and how its buyers rate it. */
export const pageQuery = `
  select
    product.key, product.name, product.brand, product.category,
    product.description, product.attributes,
    price.cents, price.currency,
    stocked.units as "inStock",
    reviewed.rating, reviewed.reviews
  from product
  join price on price.product_id = product.id and price.currency = 'EUR'
  cross join lateral (
    select sum(quantity)::int as units from stock where product_id = product.id
  ) stocked
  cross join lateral (
    select avg(rating)::float8 as rating, count(*)::int as reviews
    from review where product_id = product.id
  ) reviewed
  where product.key = $1
`;
