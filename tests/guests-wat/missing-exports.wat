;; Is a component, imports nothing, and exports nothing.
(component)
