;; Wants a function of our own interface that is not there.
(component
  (import "pg-logstats:runbook/actions@0.1.0" (instance
    (export "execute" (func (param "sql" string) (result string))))))
