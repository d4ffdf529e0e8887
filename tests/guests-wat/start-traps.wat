;; Traps before anything was asked of it.
(module
  (memory (export "memory") 2)
  {describe}
  {realloc}
  (func $start (unreachable))
  (start $start)
  (func (export "triage") (param $evidence i32) (result i32)
    ;; An assessment without anything: all zero.
    (i32.const 1024))
  {interpret})
