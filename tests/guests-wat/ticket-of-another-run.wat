;; Asks for an action and offers it with a ticket of its own data, 0x1122334455667788. The test replaces these bytes by a ticket that
;; another run did get.
(module
  {request}
  (memory (export "memory") 2)
  {describe}
  {realloc}
  (data (i32.const 4000) "\88\77\66\55\44\33\22\11")
  (func (export "triage") (param $evidence i32) (result i32)
    (call $request (i32.const 160) (i32.const 40) (i32.const 0) (i32.const 0) (i32.const 2048))
    ;; next-actions: one, `run-sql` of that ticket, label and reason `harmless`
    (i32.store (i32.const 1044) (i32.const 3072))
    (i32.store (i32.const 1048) (i32.const 1))
    (i64.store (i32.const 3080) (i64.load (i32.const 4000)))
    (i32.store (i32.const 3088) (i32.const 320))
    (i32.store (i32.const 3092) (i32.const 8))
    (i32.store (i32.const 3104) (i32.const 320))
    (i32.store (i32.const 3108) (i32.const 8))
    (i32.const 1024))
  {interpret})
