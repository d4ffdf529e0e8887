;; Asks for an action in its start function, when its instance is not made yet.
(module
  {request}
  (memory (export "memory") 2)
  {describe}
  {realloc}
  (func $start (call $request (i32.const 160) (i32.const 40) (i32.const 0) (i32.const 0) (i32.const 2048)))
  (start $start)
  (func (export "triage") (param $evidence i32) (result i32)
    ;; An assessment without anything: all zero.
    (i32.const 1024))
  {interpret})
