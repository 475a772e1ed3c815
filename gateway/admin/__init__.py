"""The operator's side: clients and agreements are kept here, and every act is written down."""
