# The deploy is taken back.
column=note
