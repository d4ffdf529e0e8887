;; Wants a heap of the host's that is collected.
(component (core module
  (type $cell (struct (field i32)))
  (func (result (ref $cell)) (struct.new $cell (i32.const 1)))))
