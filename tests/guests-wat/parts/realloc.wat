;; Where the host puts what it hands over: from the second page on, never freed.
(global $heap (mut i32) (i32.const 65536))
(func $realloc (export "cabi_realloc") (param $old i32) (param $old_bytes i32) (param $align i32) (param $bytes i32) (result i32)
  (local $at i32)
  (local.set $at (i32.and (i32.add (global.get $heap) (i32.const 7)) (i32.const -8)))
  (global.set $heap (i32.add (local.get $at) (local.get $bytes)))
  (block $enough
    (loop $more
      (br_if $enough (i32.le_u (global.get $heap) (i32.shl (memory.size) (i32.const 16))))
      (br_if $more (i32.ne (memory.grow (i32.const 1)) (i32.const -1)))
      (unreachable)))
  (local.get $at))
