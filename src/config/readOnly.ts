import { createContext, useContext } from 'react';

/** Whether the data source is provisioned from a file, so that nothing here can be saved. */
export const ReadOnly = createContext(false);

export const useReadOnly = () => useContext(ReadOnly);
