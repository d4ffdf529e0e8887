;; Calls its own `triage` while the host hands over the evidence of that call, until its stack is used up.
(module
  (memory (export "memory") 2)
  {describe}
  (func $realloc (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (call $triage (local.get 3)))
  (func $triage (export "triage") (param $evidence i32) (result i32)
    (drop (call $realloc (i32.const 0) (i32.const 0) (i32.const 8) (local.get $evidence)))
    ;; An assessment without anything: all zero.
    (i32.const 1024))
  {interpret})
