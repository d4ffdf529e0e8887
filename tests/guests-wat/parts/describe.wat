;; `describe`: name and workflow `hostile`, the action `temp_file.pg_stat_statements.temp_blocks` (string at 160, 40 bytes), and the
;; messages `harmless` (id at 320, 8 bytes), `figure` with a count (id at 347, 6 bytes), `share` with a ratio (id at 370, 5 bytes).
;; It has the bytes below 1024 of the memory. Strings and lists are a pointer and a length.
(data (i32.const 16) "\80\00\00\00\07\00\00\00\88\00\00\00\05\00\00\00\80\00\00\00\07\00\00\00\90\00\00\00\01\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\d0\00\00\00\03\00\00\00")
(data (i32.const 128) "hostile")
(data (i32.const 136) "1.0.0")
(data (i32.const 144) "\a0\00\00\00\28\00\00\00")
(data (i32.const 160) "temp_file.pg_stat_statements.temp_blocks")
(data (i32.const 208) "\40\01\00\00\08\00\00\00\48\01\00\00\13\00\00\00\00\00\00\00\00\00\00\00\5b\01\00\00\06\00\00\00\61\01\00\00\10\00\00\00\71\01\00\00\01\00\00\00\72\01\00\00\05\00\00\00\77\01\00\00\0f\00\00\00\86\01\00\00\01\00\00\00")
(data (i32.const 320) "harmlessa harmless sentence")
(data (i32.const 347) "figurethe figure is {}")
(data (i32.const 369) "\00")
(data (i32.const 370) "sharethe share is {}")
(data (i32.const 390) "\03")
(func (export "describe") (result i32) (i32.const 16))
