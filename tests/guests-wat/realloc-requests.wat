;; Asks for an action while the host hands over the evidence.
(module
  {request}
  (memory (export "memory") 2)
  {describe}
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (call $request (i32.const 160) (i32.const 40) (i32.const 0) (i32.const 0) (i32.const 2048))
    (i32.const 65536))
  (func (export "triage") (param $evidence i32) (result i32)
    ;; An assessment without anything: all zero.
    (i32.const 1024))
  {interpret})
