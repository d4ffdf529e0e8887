;; Grows its memory before anything was asked of it: in a start function.
(module
  (memory (export "memory") 2)
  {describe}
  {realloc}
  (func $start
    (loop $again
      (drop (memory.grow (i32.const 1)))
      (br $again)))
  (start $start)
  (func (export "triage") (param $evidence i32) (result i32)
    ;; An assessment without anything: all zero.
    (i32.const 1024))
  {interpret})
