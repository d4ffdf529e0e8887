;; Asks for an action whose name is no UTF-8: a surrogate, as UTF-8 has none.
(module
  {request}
  (memory (export "memory") 2)
  {describe}
  {realloc}
  (func (export "triage") (param $evidence i32) (result i32)
    (i32.store (i32.const 2048) (i32.const 0x0080a0ed))
    (call $request (i32.const 2048) (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 1024))
    (unreachable))
  {interpret})
