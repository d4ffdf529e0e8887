-- One statement in a line, by area. Read by fingerprint.rs.
select 1
select 2
select 1;
select 'a'
select null
select true
select -1
select 1.5
select 1e5
select 0x1F
select 1_000
select +1
select * from orders
select * from Orders
select * from "orders"
select * from "Orders"
select * from public.orders
select * from "public"."orders"
select * from orders where id = 1
select * from orders where id = 2
select * from orders where id = $1
select * from orders where id = -5
select * from orders where id = '7'
select * from orders where id = 1::int
select * from orders where id = '1'::int
select * from orders where id = cast('1' as int)
select * from orders where id = cast(1 as integer)
select * from orders where id = int '1'
select * from orders where id in (1)
select * from orders where id in (1, 2)
select * from orders where id in (1,2,3)
select * from orders where id in ($1, $2)
select * from orders where id in ('a','b')
select * from orders where id not in (1, 2)
select * from orders where id = any(array[1,2])
select * from orders where id = any(array[1])
select * from orders where id = any($1)
select * from orders where id = any('{1,2}')
select * from orders where id = any('{1,2}'::int[])
select * from orders where id <> all(array[1,2])
select * from orders where id between 1 and 2
select * from orders where id between $1 and $2
select * from orders where id is null
select * from orders where id is not null
select * from orders where id is distinct from 1
select * from orders where name like 'a%'
select * from orders where name ilike 'a%'
select * from orders where name not like 'b%'
select * from orders where name similar to 'x'
select * from orders where name ~ 'x'
select * from orders where name !~ 'x'
select * from orders where name ~* 'x'
select * from orders where id != 1
select * from orders where id <> 1
select * from orders where id > 1
select * from orders where id >= 1
select * from orders where not id = 1
select * from orders where id = 1 and name = 'x'
select * from orders where id = 1 or name = 'x'
select * from orders where (id = 1)
select * from orders where (id, name) = (1, 'x')
select * from orders where (id, name) in ((1, 'x'), (2, 'y'))
select * from orders where (id, name) in ((1, 'x'))
select * from orders where exists (select 1 from items where items.order_id = orders.id)
select * from orders where id in (select order_id from items where qty > 3)
select * from orders where id = (select max(id) from orders)
select * from orders where placed_at > now() - interval '1 day'
select * from orders where placed_at > now() - '1 day'::interval
select * from orders where placed_at > current_date - 7
select * from orders where placed_at >= date '2026-01-01'
select * from orders where placed_at >= '2026-01-01'::date
select * from orders where placed_at at time zone 'UTC' > '2026-01-01'
select * from orders where data ->> 'k' = 'v'
select * from orders where data -> 'a' ->> 'b' = 'c'
select * from orders where data @> '{"a": 1}'
select * from orders where data ? 'k'
select * from orders where data #>> '{a,b}' = 'x'
select * from orders where tags && array['a','b']
select * from orders where tags && array['a']
select * from orders where tags @> '{x}'
select * from orders where id % 2 = 0
select * from orders where id = $1 and name = $2
select * from orders where lower(name) = 'x'
select * from orders where name || 'x' = 'yx'
select * from orders where name = E'a\\nb'
select * from orders where name = U&'d\0061t'
select * from orders where name = $$it's$$
select * from orders where name = $t$x$t$
select * from orders where id = B'101'::int
select * from orders where flag
select * from orders where not flag
select * from orders where flag is true
select * from orders where id = 1 -- c
select * from orders where id /* c */ = 1
select * from orders where position('a' in name) > 0
select * from orders where substring(name from 1 for 2) = 'ab'
select * from orders where extract(year from placed_at) = 2026
select * from orders where trim(both 'x' from name) = 'y'
select * from orders where overlay(name placing 'x' from 1) = 'y'
select * from orders where coalesce(name, 'x') = 'y'
select * from orders where nullif(name, 'x') = 'y'
select * from orders where greatest(id, 1) = 1
select * from orders where id = array_length(array[1,2,3], 1)
select * from orders where id = (array[1,2,3])[1]
select id from orders order by id
select id from orders order by id desc
select id from orders order by 1
select id from orders order by id nulls last
select id from orders limit 1
select id from orders limit 10
select id from orders limit $1
select id from orders limit 10 offset 20
select id from orders offset 5
select id from orders fetch first 5 rows only
select id from orders limit all
select distinct id from orders
select distinct on (id) id, name from orders
select count(*) from orders
select count(1) from orders
select count(id) from orders
select count(distinct id) from orders
select id, count(*) from orders group by id
select id, count(*) from orders group by 1
select id, count(*) from orders group by id having count(*) > 1
select id, count(*) from orders group by id having count(*) > 2
select id, count(*) from orders group by rollup (id)
select id, count(*) from orders group by grouping sets ((id), ())
select id, count(*) from orders group by cube (id, name)
select id from orders for update
select id from orders for update skip locked
select id from orders for update nowait
select id from orders for share
select id from orders o
select o.id from orders o
select o.id from orders as o
select x.id from orders x
select id as a from orders
select id a from orders
select id, name from orders
select name, id from orders
select orders.* from orders
select (select 1)
select (select 1), 2
select case when id = 1 then 'a' else 'b' end from orders
select case id when 1 then 'a' end from orders
select case id when 1 then 'a' when 2 then 'b' end from orders
select cast(id as text) from orders
select id::text from orders
select id::text::int from orders
select array[1,2,3]
select array[1]
select array[id, 1] from orders
select array(select id from orders)
select row(1, 2)
select (1, 2)
select now()
select current_timestamp
select current_user
select sum(total) over (partition by id order by placed_at) from orders
select sum(total) over w from orders window w as (partition by id)
select row_number() over () from orders
select rank() over (order by id rows between 1 preceding and current row) from orders
select rank() over (order by id rows between 5 preceding and current row) from orders
select sum(total) filter (where id > 1) from orders
select string_agg(name, ',' order by id) from orders
select percentile_cont(0.5) within group (order by total) from orders
select json_build_object('a', id, 'b', name) from orders
select jsonb_agg(o) from orders o
select * from generate_series(1, 10)
select * from generate_series(1, 10) g
select * from generate_series(1, 10) as g(i)
select * from unnest(array[1,2,3]) u
select * from unnest($1::int[]) u
select * from (values (1), (2)) v
select * from (values (1)) v
select * from (values (1, 'a'), (2, 'b')) as v(a, b)
select * from (select 1) s
select * from only orders
select * from orders tablesample system (10)
select * from orders, items
select * from orders cross join items
select * from orders join items on items.order_id = orders.id
select * from orders inner join items on items.order_id = orders.id
select * from orders left join items on items.order_id = orders.id
select * from orders left outer join items on items.order_id = orders.id
select * from orders right join items using (id)
select * from orders full join items using (id)
select * from orders natural join items
select * from orders join lateral (select * from items where items.order_id = orders.id limit 1) i on true
with x as (select 1) select * from x
with x as (select 2) select * from x
with x(a) as (select 1) select * from x
with x as materialized (select 1) select * from x
with recursive t(n) as (values (1) union all select n + 1 from t where n < 100) select sum(n) from t
with x as (select 1), y as (select 2) select * from x, y
select 1 union select 2
select 1 union all select 2
select 1 union all select 2 union all select 3
select 1 intersect select 2
select 1 except select 2
(select 1) union (select 2)
values (1)
values (1), (2)
values (1, 2)
table orders
insert into orders (id, name) values (1, 'a')
insert into orders (id, name) values (1, 'a'), (2, 'b')
insert into orders (id, name) values ($1, $2)
insert into orders (id, name) values ($1, $2), ($3, $4)
insert into orders (id, name) values (1, default)
insert into orders (id, name) values (default, 'a')
insert into orders values (1, 'a')
insert into orders default values
insert into orders (id) select id from items
insert into orders (id) values (1) returning id
insert into orders (id) values (1) returning *
insert into orders (id) values (1) on conflict do nothing
insert into orders (id) values (1) on conflict (id) do nothing
insert into orders (id, name) values (1, 'a') on conflict (id) do update set name = excluded.name
insert into orders (id, name) values (1, 'a') on conflict (id) do update set name = 'x' where orders.id > 5
insert into orders (id, name) values (1, now())
insert into orders (id, name) values (nextval('s'), 'a')
insert into orders (id, data) values (1, '{"a": 1}'::jsonb)
insert into orders overriding system value values (1)
update orders set name = 'a' where id = 1
update orders set name = $1 where id = $2
update orders set name = null where id = 1
update orders set name = default where id = 1
update orders set name = 'a', total = 5 where id = 1
update orders set (name, total) = ('a', 5) where id = 1
update orders set total = total + 1 where id = 1
update orders set total = total + 2 where id in (1,2)
update orders o set name = 'a' from items i where i.order_id = o.id
update orders set name = 'a' where id = 1 returning *
update orders set data = jsonb_set(data, '{a}', '1') where id = 1
update orders set tags[1] = 'a' where id = 1
update orders set name = 'a' where current of c
delete from orders where id = 1
delete from orders where id in (1, 2)
delete from orders using items where items.order_id = orders.id
delete from orders
delete from only orders where id = 1
delete from orders where id = 1 returning id
with d as (delete from orders where id = 1 returning *) insert into items select * from d
merge into orders o using items i on o.id = i.order_id when matched then update set name = 'x' when not matched then insert (id) values (1)
truncate orders
truncate table orders
truncate orders, items
truncate orders cascade
begin
begin transaction
start transaction
begin isolation level serializable
begin read only
commit
end
commit work
rollback
abort
rollback to savepoint a
savepoint a
savepoint b
release savepoint a
release a
prepare transaction 'x'
prepare transaction 'y'
commit prepared 'x'
set work_mem = '64MB'
set work_mem = '128MB'
set work_mem to 1000
set local work_mem = '64MB'
set session work_mem = '64MB'
set search_path = a, b
set search_path to a
set statement_timeout = 0
set time zone 'UTC'
set timezone = 'UTC'
set transaction isolation level serializable
set session authorization bob
set role bob
reset work_mem
reset all
show work_mem
show all
discard all
discard plans
listen c
notify c
notify c, 'payload'
notify c, 'other'
unlisten *
lock table orders in access exclusive mode
lock orders
lock table orders in share mode nowait
vacuum
vacuum orders
vacuum analyze orders
vacuum (analyze) orders
vacuum full orders
vacuum (full) orders
analyze
analyze orders
analyze orders (id)
reindex table orders
reindex table concurrently orders
reindex index i
cluster orders
cluster orders using i
checkpoint
explain select 1
explain analyze select 1
explain (analyze) select 1
explain (analyze, buffers) select 1
explain select * from orders where id = 1
explain select * from orders where id = 2
prepare p as select 1
prepare p (int) as select $1
execute p
execute p(1)
execute p(2)
execute p(1, 2)
deallocate p
deallocate all
declare c cursor for select 1
declare c cursor with hold for select 1
fetch next from c
fetch 10 from c
fetch 20 from c
fetch all from c
move 5 from c
close c
close all
copy orders to stdout
copy orders from stdin
copy orders (id) from stdin
copy orders to '/tmp/x'
copy orders to '/tmp/y'
copy orders from '/tmp/x' with (format csv)
copy orders from '/tmp/x' csv header
copy (select 1) to stdout
copy (select 2) to stdout
copy orders to program 'gzip'
do $$begin null; end$$
do $$begin perform 1; end$$
do 'begin end'
call p(1)
call p(2)
call p(1, 2)
create table t (id int)
create table t (id integer)
create table t (id int, name text)
create table t (id int primary key)
create table t (id int default 1)
create table t (id int default 2)
create table if not exists t (id int)
create temp table t (id int)
create temporary table t (id int)
create unlogged table t (id int)
create table t as select 1
create table t as select 2
create table t (id varchar(10))
create table t (id varchar(20))
create table t (like orders including all)
create table t (id int check (id > 0))
create table t (id int references orders (id))
create table t (id int) partition by range (id)
create table t partition of o for values from (1) to (10)
create table t partition of o for values from (11) to (20)
create table t (id int) with (fillfactor = 70)
create table t (id int) with (fillfactor = 80)
alter table t add column a int
alter table t add a int
alter table t add column b int
alter table t drop column a
alter table t drop column if exists a
alter table t alter column a set default 1
alter table t alter column a set default 2
alter table t alter column a type text
alter table t alter a set not null
alter table t rename to u
alter table t rename column a to b
alter table t add constraint c check (a > 1)
alter table t add constraint c foreign key (a) references o (id)
alter table t validate constraint c
alter table t set (fillfactor = 70)
alter table t owner to bob
alter table t attach partition p for values in (1)
alter table t enable row level security
drop table t
drop table if exists t
drop table t cascade
drop table t, u
create index i on t (a)
create index on t (a)
create unique index i on t (a)
create index concurrently i on t (a)
create index i on t using gin (a)
create index i on t (a) where a > 1
create index i on t (a) where a > 2
create index i on t (lower(a))
create index i on t (a desc)
create index i on t (a) include (b)
drop index i
drop index concurrently i
create view v as select 1
create or replace view v as select 1
create materialized view v as select 1
refresh materialized view v
refresh materialized view concurrently v
drop view v
create schema s
create schema if not exists s
drop schema s cascade
create sequence q
create sequence q start 1
create sequence q start 5
alter sequence q restart
alter sequence q restart with 1
create type e as enum ('a', 'b')
create type e as enum ('a')
create type c as (a int)
alter type e add value 'c'
create domain d as int check (value > 0)
create extension x
create extension if not exists x
drop extension x
create function f() returns int language sql as 'select 1'
create function f() returns int language sql as 'select 2'
create function f() returns int language sql as $$select 1$$
create or replace function f(a int) returns int as $$select a$$ language sql immutable
drop function f()
drop function f(int)
create trigger g before insert on t for each row execute function f()
drop trigger g on t
create rule r as on insert to t do nothing
create policy p on t using (a = 1)
create policy p on t using (a = 2)
comment on table t is 'x'
comment on table t is 'y'
comment on column t.a is null
grant select on t to bob
grant select on t to alice
grant all on t to bob
grant select, insert on t to bob
revoke select on t from bob
grant r to bob
create role bob
create user bob
create role bob login
create role bob password 'x'
create role bob password 'y'
create role bob with encrypted password 'x'
alter role bob password 'x'
alter user bob with password 'y'
alter role bob set work_mem = '1MB'
alter role bob valid until 'infinity'
drop role bob
drop user bob
create database d
create database d owner bob
drop database d
alter database d set work_mem = '1MB'
alter system set work_mem = '1MB'
alter system set work_mem = '2MB'
alter system reset all
create server s foreign data wrapper w options (host 'x')
create server s foreign data wrapper w options (host 'y')
create user mapping for bob server s options (user 'x', password 'y')
create publication p for table t
create subscription s connection 'host=x' publication p
create subscription s connection 'host=y' publication p
create statistics st on a, b from t
create tablespace ts location '/x'
security label on table t is 'x'
import foreign schema a from server s into b
create aggregate ag (int) (sfunc = f, stype = int)
create cast (int as text) with function f(int)
create operator === (leftarg = int, rightarg = int, function = f)
create collation co from "C"
reassign owned by bob to alice
drop owned by bob
set search_path = c
set x.y = word
set x.y = 'word'
set x.y to default
set role alice
set role none
set session authorization alice
set session authorization default
set time zone local
set time zone interval '1' hour to minute
set transaction snapshot 'x'
set transaction read only
set transaction read only, deferrable
set constraints all deferred
set constraints a, b immediate
alter role bob set search_path to a, b
alter role bob set search_path to c
alter role bob in database d set search_path = a
alter role bob reset all
alter database d set search_path = a
alter database d set search_path = b
alter system set search_path to a
alter function f(int) set search_path = a
alter function f(int) set search_path = b, c
create function f() returns int language sql set search_path = a as 'select 1'
create function f() returns int language sql set search_path = b as 'select 1'
alter table t set (autovacuum_enabled = off)
alter table t set (autovacuum_enabled = on)
create index i on t (a) with (buffering = auto)
create index i on t (a) with (buffering = off)
alter server s options (add password 'x', set host 'y', drop port)
alter server s options (add password 'y', set host 'x', drop port)
alter user mapping for bob server s options (set password 'x')
create foreign table t (a int options (column_name 'x')) server s options (table_name 'y')
alter subscription s connection 'host=x'
alter subscription s set (slot_name = a)
alter subscription s set (slot_name = b)
create subscription s connection 'host=x' publication p with (slot_name = a)
copy orders from program 'x' with (format csv)
copy orders from stdin with (format csv, null 'x')
copy orders from stdin csv force not null a, b
do language plpgsql 'begin end'
load 'x'
load 'y'
select * from orders where name like 'a\_%' escape '\' order by id
select * from orders where name like 'b' escape '#' order by id
select * from orders where name = 'x'and total = 1
select * from orders where name = 'x' and total = 1
