;; Imports a whole component, to be instantiated by it.
(component
  (import "plugin" (component $plugin))
  (instance (instantiate $plugin)))
