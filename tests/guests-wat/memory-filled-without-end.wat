;; Fills 32 MiB again and again: much time for few instructions.
(module
  (memory (export "memory") 2)
  {describe}
  {realloc}
  (func (export "triage") (param $evidence i32) (result i32)
    (drop (memory.grow (i32.const 512)))
    (loop $again
      (memory.fill (i32.const 65536) (i32.const 1) (i32.const 0x2000000))
      (br $again))
    (unreachable))
  {interpret})
