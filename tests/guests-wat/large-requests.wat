;; Asks again and again with a text of 64 KiB, so that each request is small enough and all of them are not.
(module
  {request}
  (memory (export "memory") 2)
  {describe}
  {realloc}
  (func (export "triage") (param $evidence i32) (result i32)
    (memory.fill (i32.const 65536) (i32.const 97) (i32.const 65536))
    (loop $again
      (call $request (i32.const 65536) (i32.const 65536) (i32.const 0) (i32.const 0) (i32.const 1024))
      (br $again))
    (unreachable))
  {interpret})
