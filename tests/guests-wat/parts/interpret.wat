;; No guest of these gets to phase 2.
(func (export "interpret") (param i32) (result i32) (unreachable))
