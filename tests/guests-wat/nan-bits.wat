;; Makes NaN in several ways and says which bits it got. They must be the same on every machine: those of the canonical NaN,
;; 0x7ff8000000000000.
(module
  (memory (export "memory") 2)
  {describe}
  {realloc}
  (func $say (param $position i32) (param $bits i64)
    (local $message i32) (local $value i32)
    (local.set $message (i32.add (i32.const 2048) (i32.shl (local.get $position) (i32.const 4))))
    (local.set $value (i32.add (i32.const 3072) (i32.shl (local.get $position) (i32.const 4))))
    (i32.store (local.get $message) (i32.const 347))
    (i32.store offset=4 (local.get $message) (i32.const 6))
    (i32.store offset=8 (local.get $message) (local.get $value))
    (i32.store offset=12 (local.get $message) (i32.const 1))
    (i64.store offset=8 (local.get $value) (local.get $bits)))
  (func (export "triage") (param $evidence i32) (result i32)
    (i32.store (i32.const 1052) (i32.const 2048))
    (i32.store (i32.const 1056) (i32.const 8))
    ;; One of its payloads: what hardware makes of it differs, where the host does not make it the same.
    (i64.store (i32.const 4008) (i64.const 0xfff4000000abcdef))
    (call $say (i32.const 0) (i64.reinterpret_f64 (f64.div (f64.load (i32.const 4000)) (f64.load (i32.const 4000)))))
    (call $say (i32.const 1) (i64.reinterpret_f64 (f64.sqrt (f64.const -1))))
    (call $say (i32.const 2) (i64.reinterpret_f64 (f64.sub (f64.const inf) (f64.const inf))))
    (call $say (i32.const 3) (i64.reinterpret_f64 (f64.mul (f64.load (i32.const 4000)) (f64.const inf))))
    (call $say (i32.const 4) (i64.reinterpret_f64 (f64.add (f64.load (i32.const 4008)) (f64.const 1))))
    (call $say (i32.const 5) (i64.reinterpret_f64 (f64.promote_f32 (f32.div (f32.load (i32.const 4000)) (f32.load (i32.const 4000))))))
    (call $say (i32.const 6) (i64.reinterpret_f64 (f64.min (f64.load (i32.const 4008)) (f64.const 1))))
    (call $say (i32.const 7) (i64.reinterpret_f64 (f64.nearest (f64.load (i32.const 4008)))))
    (i32.const 1024))
  {interpret})
