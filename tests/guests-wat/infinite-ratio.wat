;; Says that a share is infinite.
(module
  (memory (export "memory") 2)
  {describe}
  {realloc}
  (func (export "triage") (param $evidence i32) (result i32)
    (i32.store (i32.const 1052) (i32.const 2048))
    (i32.store (i32.const 1056) (i32.const 1))
    (i32.store (i32.const 2048) (i32.const 370))
    (i32.store (i32.const 2052) (i32.const 5))
    (i32.store (i32.const 2056) (i32.const 2064))
    (i32.store (i32.const 2060) (i32.const 1))
    (i32.store8 (i32.const 2064) (i32.const 3))
    (f64.store (i32.const 2072) (f64.const inf))
    (i32.const 1024))
  {interpret})
