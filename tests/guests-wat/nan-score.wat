;; Gives a finding a score that is no number.
(module
  (memory (export "memory") 2)
  {describe}
  {realloc}
  (func (export "triage") (param $evidence i32) (result i32)
    (i32.store (i32.const 1028) (i32.const 2048))
    (i32.store (i32.const 1032) (i32.const 1))
    ;; title, reason: the message `harmless`
    (i32.store (i32.const 2064) (i32.const 320))
    (i32.store (i32.const 2068) (i32.const 8))
    (i32.store (i32.const 2080) (i32.const 320))
    (i32.store (i32.const 2084) (i32.const 8))
    (f64.store (i32.const 2104) (f64.div (f64.const 0) (f64.const 0)))
    (i32.const 1024))
  {interpret})
