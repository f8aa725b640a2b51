CREATE INDEX IF NOT EXISTS reunification_desk_agency_code_reunited_year_country_idx ON reunification_desk (agency_code, reunited_year, country);
