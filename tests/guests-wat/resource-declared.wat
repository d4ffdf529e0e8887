;; Declares a resource of its own. Our interface has none, so a runbook has nothing to do with handles.
(component
  (type $handle (resource (rep i32)))
  (core func $new (canon resource.new $handle))
  (core func $drop (canon resource.drop $handle)))
