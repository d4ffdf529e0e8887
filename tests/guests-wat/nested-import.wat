;; Hides an import of WASI: it is a component within the component that wants it.
(component
  (import "wasi:cli/environment@0.2.0" (instance $environment
    (export "get-environment" (func (result (list (tuple string string)))))))
  (component $inner
    (import "environment" (instance
      (export "get-environment" (func (result (list (tuple string string))))))))
  (instance (instantiate $inner (with "environment" (instance $environment)))))
