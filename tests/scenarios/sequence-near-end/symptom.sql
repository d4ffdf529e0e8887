SELECT failing(1000);
