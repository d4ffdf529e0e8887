;; Imports a resource, as WASI's interfaces do.
(component
  (import "descriptor" (type $descriptor (sub resource)))
  (core func $drop (canon resource.drop $descriptor)))
