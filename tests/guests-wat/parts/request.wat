;; Action (pointer, bytes), bindings (pointer, number), where the answer goes: 0 and a ticket at +8, or 1 and a denial at +8.
(import "pg-logstats:runbook/actions@0.1.0" "request" (func $request (param i32 i32 i32 i32 i32)))
