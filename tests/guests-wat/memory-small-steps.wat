;; Grows its memory page by page, and goes on when it gets nothing.
(module
  (memory (export "memory") 2)
  {describe}
  {realloc}
  (func (export "triage") (param $evidence i32) (result i32)
    (loop $again
      (drop (memory.grow (i32.const 1)))
      (br $again))
    (unreachable))
  {interpret})
