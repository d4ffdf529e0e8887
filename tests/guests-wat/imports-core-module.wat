;; Imports a core module, to be instantiated by it.
(component
  (import "plugin" (core module $plugin))
  (core instance (instantiate $plugin)))
