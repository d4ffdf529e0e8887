;; Returns a message whose id begins in its memory and ends outside.
(module
  (memory (export "memory") 2)
  {describe}
  {realloc}
  (func (export "triage") (param $evidence i32) (result i32)
    (i32.store (i32.const 1052) (i32.const 2048))
    (i32.store (i32.const 1056) (i32.const 1))
    (i32.store (i32.const 2048) (i32.sub (i32.shl (memory.size) (i32.const 16)) (i32.const 4)))
    (i32.store (i32.const 2052) (i32.const 8))
    (i32.const 1024))
  {interpret})
