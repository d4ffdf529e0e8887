;; Declares twice the memory that a run may have, and does nothing else.
(module
  (memory (export "memory") 2048)
  {describe}
  {realloc}
  (func (export "triage") (param $evidence i32) (result i32)
    ;; An assessment without anything: all zero.
    (i32.const 1024))
  {interpret})
