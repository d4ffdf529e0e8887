;; Throws and catches, which this host does not serve.
(component (core module
  (tag $broken)
  (func (throw $broken))))
