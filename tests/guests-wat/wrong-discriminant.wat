;; Returns a result that is neither an assessment nor a failure.
(module
  (memory (export "memory") 2)
  {describe}
  {realloc}
  (func (export "triage") (param $evidence i32) (result i32)
    (i32.store8 (i32.const 1024) (i32.const 7))
    (i32.const 1024))
  {interpret})
