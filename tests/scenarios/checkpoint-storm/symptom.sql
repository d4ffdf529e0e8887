SELECT requested();
