;; Returns a list of 200 million messages that are not there, each of no bytes: the length is in the guest's hand, the elements are past
;; its memory.
(module
  (memory (export "memory") 2)
  {describe}
  {realloc}
  (func (export "triage") (param $evidence i32) (result i32)
    (i32.store (i32.const 1052) (i32.const 2048))
    (i32.store (i32.const 1056) (i32.const 200000000))
    (i32.const 1024))
  {interpret})
