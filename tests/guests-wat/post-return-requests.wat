;; Asks for an action after it has returned.
(module
  {request}
  (memory (export "memory") 2)
  {describe}
  {realloc}
  (func (export "cabi_post_triage") (param i32)
    (call $request (i32.const 160) (i32.const 40) (i32.const 0) (i32.const 0) (i32.const 2048)))
  (func (export "triage") (param $evidence i32) (result i32)
    ;; An assessment without anything: all zero.
    (i32.const 1024))
  {interpret})
