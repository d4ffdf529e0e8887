;; Tells the host to put the evidence where its memory ends.
(module
  (memory (export "memory") 2)
  {describe}
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 0xfffffff0))
  (func (export "triage") (param $evidence i32) (result i32)
    ;; An assessment without anything: all zero.
    (i32.const 1024))
  {interpret})
