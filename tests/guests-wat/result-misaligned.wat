;; Says that its assessment is at an odd address.
(module
  (memory (export "memory") 2)
  {describe}
  {realloc}
  (func (export "triage") (param $evidence i32) (result i32)
    (i32.const 1025))
  {interpret})
