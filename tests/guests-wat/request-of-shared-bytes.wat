;; Asks for an action with 2,000 bindings that all have the same 60,000 bytes as their parameter.
(module
  {request}
  (memory (export "memory") 2)
  {describe}
  {realloc}
  (func (export "triage") (param $evidence i32) (result i32)
    (local $i i32)
    (memory.fill (i32.const 65536) (i32.const 97) (i32.const 60000))
    (loop $again
      (i32.store (i32.add (i32.const 2048) (i32.shl (local.get $i) (i32.const 4))) (i32.const 65536))
      (i32.store (i32.add (i32.const 2052) (i32.shl (local.get $i) (i32.const 4))) (i32.const 60000))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $again (i32.lt_u (local.get $i) (i32.const 2000))))
    (call $request (i32.const 160) (i32.const 40) (i32.const 2048) (i32.const 2000) (i32.const 1024))
    (unreachable))
  {interpret})
