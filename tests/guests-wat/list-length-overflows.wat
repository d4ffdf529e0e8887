;; Returns a list whose length times the size of an element overflows 32 bits.
(module
  (memory (export "memory") 2)
  {describe}
  {realloc}
  (func (export "triage") (param $evidence i32) (result i32)
    (i32.store (i32.const 1052) (i32.const 2048))
    (i32.store (i32.const 1056) (i32.const 0x10000001))
    (i32.const 1024))
  {interpret})
