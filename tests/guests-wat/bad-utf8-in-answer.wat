;; Returns a message whose id is cut in the middle of a character.
(module
  (memory (export "memory") 2)
  {describe}
  {realloc}
  (func (export "triage") (param $evidence i32) (result i32)
    (i32.store (i32.const 1052) (i32.const 2048))
    (i32.store (i32.const 1056) (i32.const 1))
    (i32.store (i32.const 2048) (i32.const 2064))
    (i32.store (i32.const 2052) (i32.const 1))
    (i32.store (i32.const 2064) (i32.const 0x000000c3))
    (i32.const 1024))
  {interpret})
