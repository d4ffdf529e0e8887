;; Asks for almost 4 GiB at once.
(module
  (memory (export "memory") 2)
  {describe}
  {realloc}
  (func (export "triage") (param $evidence i32) (result i32)
    (drop (memory.grow (i32.const 65533)))
    ;; An assessment without anything: all zero.
    (i32.const 1024))
  {interpret})
