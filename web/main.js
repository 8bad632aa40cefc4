document.title = "chatd";
