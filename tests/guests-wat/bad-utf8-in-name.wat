;; Has a name that is no UTF-8: the first byte of its name is overwritten.
(module
  (memory (export "memory") 2)
  {describe}
  {realloc}
  (data (i32.const 128) "\ff")
  (func (export "triage") (param $evidence i32) (result i32)
    ;; An assessment without anything: all zero.
    (i32.const 1024))
  {interpret})
