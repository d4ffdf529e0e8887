;; Goes on asking after it was told that it asked too often. Each request costs it next to nothing.
(module
  {request}
  (memory (export "memory") 2)
  {describe}
  {realloc}
  (func (export "triage") (param $evidence i32) (result i32)
    (loop $again
      (call $request (i32.const 160) (i32.const 40) (i32.const 0) (i32.const 0) (i32.const 1024))
      (br $again))
    (unreachable))
  {interpret})
