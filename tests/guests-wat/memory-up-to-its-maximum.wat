;; Declares a maximum, grows to it, and asks for more, which is refused to it by its own word. It then says how often it was given
;; a page: 6 times.
(module
  (memory (export "memory") 4 10)
  {describe}
  {realloc}
  (func (export "triage") (param $evidence i32) (result i32)
    (local $pages i64)
    (block $refused
      (loop $again
        (br_if $refused (i32.eq (memory.grow (i32.const 1)) (i32.const -1)))
        (local.set $pages (i64.add (local.get $pages) (i64.const 1)))
        (br $again)))
    ;; limitations: one message `figure` with one count
    (i32.store (i32.const 1052) (i32.const 1100))
    (i32.store (i32.const 1056) (i32.const 1))
    (i32.store (i32.const 1100) (i32.const 347))
    (i32.store (i32.const 1104) (i32.const 6))
    (i32.store (i32.const 1108) (i32.const 1120))
    (i32.store (i32.const 1112) (i32.const 1))
    (i64.store (i32.const 1128) (local.get $pages))
    (i32.const 1024))
  {interpret})
