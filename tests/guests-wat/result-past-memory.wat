;; Says that its assessment is where its memory ends.
(module
  (memory (export "memory") 2)
  {describe}
  {realloc}
  (func (export "triage") (param $evidence i32) (result i32)
    (i32.sub (i32.shl (memory.size) (i32.const 16)) (i32.const 8)))
  {interpret})
