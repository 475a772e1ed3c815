"""The enterprise's own credit report (专项信用报告): made, shown by its address, taken back."""
