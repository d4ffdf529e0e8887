;; Tells the host to put everything at the same place, so that the evidence overwrites itself. It then reads none of it.
(module
  (memory (export "memory") 64)
  {describe}
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 65536))
  (func (export "triage") (param $evidence i32) (result i32)
    ;; An assessment without anything: all zero.
    (i32.const 1024))
  {interpret})
