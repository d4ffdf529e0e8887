;; Declares a table that is too large, and does nothing else.
(module
  (memory (export "memory") 2)
  {describe}
  {realloc}
  (table 30000 funcref)
  (func (export "triage") (param $evidence i32) (result i32)
    ;; An assessment without anything: all zero.
    (i32.const 1024))
  {interpret})
