"""Portal pages for repairs (信用修复): terms of a record, application, withdrawal."""
