;; Wants a resource of our own interface, which has none.
(component
  (import "pg-logstats:runbook/actions@0.1.0" (instance
    (export "session" (type (sub resource))))))
