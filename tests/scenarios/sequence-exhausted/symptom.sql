SELECT failing(100);
